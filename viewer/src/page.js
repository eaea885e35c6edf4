// The page: takes a file, shows what the worker makes of it.

import WORKER from "worker.txt";
import MODELS from "models.json";

const find = (id) => document.getElementById(id);
const canvas = find("picture");
const paint = canvas.getContext("2d");
const progress = find("progress");

let ticket = 0;
let waiting = null;
let shown = null;

const worker = new Worker(URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" })));
const base = location.protocol === "file:" ? null : document.baseURI;
const files = Object.fromEntries(MODELS.map(({ fingerprint, file }) => [fingerprint, file]));
worker.postMessage({ home: { models: files, base } });
worker.onmessage = ({ data }) => data.ticket === ticket && answer(data);
worker.onerror = (event) => fail(`cannot be decoded here: ${event.message}`);

function answer(step) {
  if (step.note) say(step.note);
  if (step.stream) begin(step.stream);
  if (step.done !== undefined) progress.value = step.done;
  if (step.region) {
    const { rgba, left, top, width, height } = step.region;
    paint.putImageData(new ImageData(rgba, width, height), left, top);
  }
  if (step.finished) finish(step.finished.seconds);
  if (step.added) addedModel(step.added);
  if (step.refused) step.needs ? askForModel(step.needs) : fail(step.refused);
}

/** Open bytes under a name. */
function open(name, bytes) {
  ticket += 1;
  waiting = { name, bytes };
  document.body.dataset.state = "busy";
  progress.hidden = false;
  progress.value = 0;
  find("facts").replaceChildren();
  say(`decoding ${name}`);
  worker.postMessage({ ticket, open: bytes });
}

function begin({ header, bytes, model, facts }) {
  const [height, width] = header.extent;
  [canvas.width, canvas.height] = [width, height];
  canvas.setAttribute("aria-label", `${waiting.name}, ${width} x ${height} pixels`);
  find("view").hidden = false;
  const kinds = ["", "grey", "grey with alpha", "colour", "colour with alpha"];
  const said = {
    file: waiting.name,
    pixels: `${width} x ${height}, ${kinds[header.channels]}`,
    bytes: `${bytes.toLocaleString("en")} (${((8 * bytes) / (width * height)).toFixed(3)} bits per pixel)`,
    model: `${model}, ${header.stages} stages`,
  };
  if (facts.includes("R")) said.note = "16 bits, shown in 8";
  if (facts.includes("i")) said.profile = "carries a colour profile, which is not applied here";
  find("facts").replaceChildren(
    ...Object.entries(said).flatMap(([term, text]) => [made("dt", term), made("dd", text)]),
  );
}

function finish(seconds) {
  progress.hidden = true;
  document.body.dataset.state = "shown";
  shown = waiting.name;
  waiting = null;
  find("save").disabled = false;
  say(`${shown} decoded in ${seconds.toFixed(1)} s`);
}

function fail(reason) {
  progress.hidden = true;
  find("view").hidden = true;
  document.body.dataset.state = "refused";
  say(`${waiting ? `${waiting.name}: ` : ""}${reason}`);
}

function askForModel(fingerprint) {
  progress.hidden = true;
  document.body.dataset.state = "model";
  const known = MODELS.find((model) => model.fingerprint === fingerprint);
  const why = base ? "it cannot be fetched" : "opened as a file, it may not read that by itself";
  const where = known
    ? `drop ${known.file} here, which lies beside this page: ${why}`
    : "drop its .safetensors file here; vqcodec models lists those that are installed";
  say(`${waiting.name} needs the model ${known?.name ?? fingerprint}: ${where}`);
}

function addedModel({ name }) {
  say(`the model ${name} is kept by this browser`);
  document.body.dataset.state = "ready";
  if (waiting) open(waiting.name, waiting.bytes);
}

async function take(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (file.name.endsWith(".safetensors")) {
    ticket += 1;
    worker.postMessage({ ticket, model: bytes });
  } else open(file.name, bytes);
}

/** What the address names behind its #: a file of the same host, or its bytes as data:. */
async function openAddress() {
  const address = decodeURIComponent(location.hash.slice(1));
  if (!address) return;
  const name = address.startsWith("data:") ? "picture.vqc" : address.split("/").at(-1);
  try {
    open(name, address.startsWith("data:") ? fromData(address) : await fromHost(address));
  } catch (error) {
    waiting = { name };
    fail(error.message);
  }
}

function fromData(address) {
  const text = atob(address.slice(address.indexOf(",") + 1));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

async function fromHost(address) {
  const answer = await fetch(new URL(address, document.baseURI));
  if (!answer.ok) throw new Error(`cannot be fetched: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

function say(text) {
  find("status").textContent = text;
}

function made(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

find("file").onchange = ({ target }) => target.files[0] && take(target.files[0]);
find("zoom").onchange = ({ target }) => canvas.classList.toggle("fit", !target.checked);
find("save").onclick = () =>
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = shown.replace(/\.vqc$/, "") + ".png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }, "image/png");
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
});
addEventListener("hashchange", openAddress);
document.body.dataset.state = "ready";
openAddress();
