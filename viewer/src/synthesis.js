// From codes to pixels: the layers of a convolutional synthesis, one after the other.

const [STORE, ACTIVATE, ADD] = [0, 1, 2];

/** The weights of a model, laid out in the module once for a picture. */
export class Synthesis {
  constructor(machine, model) {
    Object.assign(this, { machine, sizes: model.sizes });
    const { latent, width, depth, stages, codes, channels, stride } = model.sizes;
    this.patch = channels * stride[0] * stride[1];
    this.reach = 2 + 2 * depth;
    const number = (tensor) => new DataView(tensor.bytes.slice().buffer).getFloat32(0, true);
    this.scale = number(model.tensor("synthesis.scale", "F32", []));
    this.codebooks = this.#widened(model.tensor("codebooks", "F16", [stages, codes, latent]));
    const layer = (name, inputs, outputs) => this.#layer(model, `synthesis.${name}`, inputs, outputs);
    this.enter = layer("enter", latent, width);
    this.blocks = Array.from({ length: depth }, (_, block) => [
      layer(`blocks.${block}.first`, width, width),
      layer(`blocks.${block}.second`, width, width),
    ]);
    this.leave = layer("leave", width, this.patch);
    this.linear = this.#basis(model.tensor("synthesis.basis", "F32", [latent, this.patch]), latent);
  }

  /**
   * The pixels of a region as RGBA, all of them opaque.
   *
   * codes: place of uint16 (stages, rows, columns) in the module. extent: height and width of the
   * picture. Yields the share of the layers that is done.
   */
  *region(codes, { rows, columns, stages, extent, grey }, piece) {
    const { machine, sizes, reach, patch } = this;
    const around = {
      top: Math.max(0, piece.top - reach),
      left: Math.max(0, piece.left - reach),
      bottom: Math.min(rows, piece.bottom + reach),
      right: Math.min(columns, piece.right + reach),
    };
    const [tall, wide] = [around.bottom - around.top, around.right - around.left];
    const plane = (channels) => machine.allocate(4 * (tall + 2) * (wide + 2) * channels);
    // Positions that still matter when so many convolutions are left, counted within `around`.
    const window = (left) => [
      Math.max(around.top, piece.top - left) - around.top,
      Math.min(around.bottom, piece.bottom + left) - around.top,
      Math.max(around.left, piece.left - left) - around.left,
      Math.min(around.right, piece.right + left) - around.left,
    ];
    const run = (from, layer, then, left, to) =>
      machine.calls.convolve(
        from, layer.weights, layer.bias, wide, layer.inputs, layer.outputs, layer.side, then,
        ...window(left), to,
      );
    const [latent, state, branch, out] = [sizes.latent, sizes.width, sizes.width, patch].map(plane);
    machine.calls.look_up(
      codes, stages, rows, columns, around.top, around.left, tall, wide,
      this.codebooks, sizes.codes, sizes.latent, this.scale, latent,
    );
    const layers = 2 + 2 * sizes.depth;
    let left = layers - 1;
    run(latent, this.enter, STORE, left, state);
    for (const [first, second] of this.blocks) {
      yield (layers - left) / layers;
      run(state, first, ACTIVATE, --left, branch);
      run(branch, second, ADD, --left, state);
    }
    run(state, this.leave, STORE, 0, out);
    run(latent, this.linear, ADD, 0, out);
    const image = this.#pixels(out, { piece, around, wide, extent, grey });
    machine.release(latent, state, branch, out);
    return image;
  }

  #pixels(out, { piece, around, wide, extent, grey }) {
    const { machine, sizes } = this;
    const [tallest, widest] = sizes.stride;
    const [top, left] = [piece.top * tallest, piece.left * widest];
    const height = Math.min(piece.bottom * tallest, extent[0]) - top;
    const width = Math.min(piece.right * widest, extent[1]) - left;
    const place = machine.allocate(4 * height * width);
    machine.calls.to_pixels(
      out, wide, sizes.channels, tallest, widest, piece.top - around.top, piece.left - around.left,
      height, width, grey ? 1 : 0, place,
    );
    const rgba = new Uint8ClampedArray(machine.bytes(place, 4 * height * width));
    machine.release(place);
    return { top, left, height, width, rgba };
  }

  #widened({ bytes }) {
    const { machine } = this;
    const [halves, floats] = [machine.put(bytes), machine.allocate(2 * bytes.length)];
    machine.calls.widen(halves, bytes.length / 2, floats);
    machine.release(halves);
    return floats;
  }

  #layer(model, name, inputs, outputs) {
    const { machine } = this;
    const weights = this.#widened(model.tensor(`${name}.weight`, "F16", [outputs, inputs, 3, 3]));
    const packed = machine.allocate(4 * 9 * inputs * (outputs + 8));
    machine.calls.pack(weights, outputs, inputs, 3, packed);
    machine.release(weights);
    const bias = this.#widened(model.tensor(`${name}.bias`, "F16", [outputs]));
    return { inputs, outputs, side: 3, weights: packed, bias };
  }

  #basis({ bytes }, inputs) {
    const { machine, patch } = this;
    const basis = new Float32Array(bytes.slice().buffer);
    const rows = new Float32Array(basis.length);
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < patch; o++) rows[o * inputs + i] = basis[i * patch + o];
    }
    const from = machine.put(new Uint8Array(rows.buffer));
    const packed = machine.allocate(4 * inputs * (patch + 8));
    machine.calls.pack(from, patch, inputs, 1, packed);
    machine.release(from);
    return { inputs, outputs: patch, side: 1, weights: packed, bias: machine.allocate(4 * patch) };
  }
}
