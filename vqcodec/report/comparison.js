// Before and after: two layers of which one is cut off where the slider stands, their difference,
// and the bits that each position took.
(() => {
  const find = (id) => document.getElementById(id);
  const { layers } = JSON.parse(find("layers").textContent);
  const stage = find("stage");
  const shown = [...stage.querySelectorAll(".layer")];
  const map = find("map");

  for (const side of ["left", "right"]) {
    find(side).append(...layers.map(({ title }, place) => new Option(title, place)));
    find(side).onchange = update;
  }
  find("right").value = layers.length > 1 ? 1 : 0;

  function update() {
    const [left, right] = ["left", "right"].map((side) => Number(find(side).value));
    shown.forEach((layer, place) => {
      layer.classList.toggle("left", place === left);
      layer.classList.toggle("right", place === right);
    });
    stage.classList.toggle("alone", left === right);
    find("said-left").textContent = `${layers[left].title}: ${layers[left].said}`;
    find("said-right").textContent = `${layers[right].title}: ${layers[right].said}`;
    const difference = document.querySelector("[name=show]:checked").value === "difference";
    stage.classList.toggle("difference", difference && left !== right);
    stage.style.setProperty("--gain", find("gain").value);
    // Both select the same layer: it is seen whole.
    drawMap(layers[right].bits ?? layers[left].bits);
  }

  function drawMap(bits) {
    find("bits").disabled = !bits;
    map.hidden = !bits || !find("bits").checked;
    find("said-map").textContent = map.hidden ? "" : `0 to ${bits.most.toFixed(0)} bits a position, dark to bright`;
    if (map.hidden) return;
    [map.width, map.height] = [bits.columns, bits.rows];
    const values = Uint8Array.from(atob(bits.values), (letter) => letter.charCodeAt(0));
    const drawn = new ImageData(bits.columns, bits.rows);
    values.forEach((value, place) => drawn.data.set(colour(value / 255), 4 * place));
    map.getContext("2d").putImageData(drawn, 0, 0);
    // Positions at the far ends stand for more than what is there.
    map.style.width = `${100 * bits.across}%`;
    map.style.height = `${100 * bits.down}%`;
  }

  // From black over violet and orange to white, evenly in lightness.
  function colour(share) {
    const stops = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];
    const place = Math.min(share * 4, 3.999);
    const [low, high] = [stops[Math.floor(place)], stops[Math.floor(place) + 1]];
    return [...low.map((value, i) => value + (high[i] - value) * (place % 1)), 255];
  }

  function resize() {
    const scale = Number(find("zoom").value);
    const original = shown[0].querySelector("img");
    const [columns, rows] = [original.naturalWidth, original.naturalHeight];
    stage.style.width = scale ? `${columns * scale}px` : `min(100%, ${columns}px)`;
    find("split").style.width = `min(100%, ${columns * (scale || 1)}px)`;
    stage.style.aspectRatio = `${columns} / ${rows}`;
    stage.classList.toggle("close", scale > 1);
  }

  function split(percent) {
    find("split").value = percent;
    stage.style.setProperty("--split", `${find("split").value}%`);
  }

  find("split").oninput = () => split(find("split").value);
  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    split((100 * (event.clientX - box.left)) / box.width);
  };
  stage.onpointerdown = (event) => {
    stage.setPointerCapture(event.pointerId);
    follow(event);
  };
  stage.onpointermove = (event) => event.buttons && follow(event);
  for (const id of ["gain", "bits"]) find(id).onchange = update;
  for (const radio of document.querySelectorAll("[name=show]")) radio.onchange = update;
  find("zoom").onchange = resize;

  update();
  const first = shown[0].querySelector("img");
  first.complete ? resize() : (first.onload = resize);
})();
