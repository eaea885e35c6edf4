// The codes of a stream, region by region, by the prior that its header names.

import { demand, Refusal } from "./bytes.js";

/** Where the regions of a picture lie on the grid, in the order of their chunks. */
export function cutGrid(rows, columns, [tall, wide]) {
  const regions = [];
  for (let top = 0; top < rows; top += tall) {
    for (let left = 0; left < columns; left += wide) {
      const [bottom, right] = [Math.min(top + tall, rows), Math.min(left + wide, columns)];
      regions.push({ top, left, bottom, right });
    }
  }
  return regions;
}

/** Refuses a stream that the model cannot have written; gives its grid and regions. */
export function checkedCut(header, model) {
  const { stride, region, stages } = model.sizes;
  const [rows, columns] = header.extent.map((length, axis) => Math.ceil(length / stride[axis]));
  const wanted = Math.ceil(rows / region[0]) * Math.ceil(columns / region[1]);
  const other = `says ${header.regions} regions, its model cuts such a signal into ${wanted}`;
  demand(header.regions === wanted, "CorruptError", other);
  const name = ["size", "prior.static.frequencies", "prior.mixing.counters"][header.prior];
  const lacks = `the model has no prior ${header.prior}`;
  demand(header.prior === 0 || model.has(name), "CorruptError", lacks);
  const deep = `the stream has ${header.stages} stages of codes, the model ${stages}`;
  demand(header.stages <= stages, "CorruptError", deep);
  return { rows, columns, regions: cutGrid(rows, columns, region) };
}

/** Reads payloads into uint16 (stages, rows, columns); made once for a stream. */
export class CodeReader {
  constructor(machine, model, header) {
    Object.assign(this, { machine, model, header });
    this.start = [() => null, () => this.#startStatic(), () => this.#startMixing()][header.prior]();
  }

  /** The codes of a region, a new array. */
  read(payload, number, rows, columns) {
    const { machine, header, model } = this;
    const count = header.stages * rows * columns;
    const [from, to] = [machine.put(payload), machine.allocate(2 * count)];
    const shape = [header.stages, rows, columns, to];
    const codes = model.sizes.codes;
    try {
      const { decode_raw: raw, decode_static: fixed, decode_mixing: mixing } = machine.calls;
      if (header.prior === 0) raw(from, payload.length, codes, ...shape);
      if (header.prior === 1) fixed(from, payload.length, this.start, codes, ...shape);
      if (header.prior === 2) mixing(from, payload.length, ...shape);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Refusal(error.kind, `code chunk ${number}: ${error.message}`);
    }
    const read = new Uint16Array(machine.bytes(to, 2 * count).slice().buffer);
    machine.release(from, to);
    return read;
  }

  #startStatic() {
    const { stages, codes } = this.model.sizes;
    const frequencies = this.model.tensor("prior.static.frequencies", "U16", [stages, codes]);
    return this.machine.put(frequencies.bytes);
  }

  #startMixing() {
    const { machine, model } = this;
    const { stages, codes } = model.sizes;
    const table = (name, dtype, shape) => model.tensor(`prior.mixing.${name}`, dtype, shape);
    const dimensions = table("embeddings", "I16", [stages, codes, -1]).shape[2];
    const first = table("first_biases", "I32", [stages, stages, -1]).shape[2];
    const second = table("second_biases", "I32", [stages, -1]).shape[1];
    const wide = "the model's network is too wide";
    demand(Math.max(9 * dimensions, first, second) <= 800, "BadModelError", wide);
    // In the order of MixingStart::visit_arrays.
    const tables = [
      table("counters", "U16", [stages, 175, 256]),
      table("node_weights", "I16", [stages, 256, 42]),
      table("class_weights", "I16", [stages, 84, 42]),
      table("embeddings", "I16", [stages, codes, dimensions]),
      table("first_weights", "I16", [stages, first, 9 * dimensions]),
      table("first_biases", "I32", [stages, stages, first]),
      table("second_weights", "I16", [stages, second, first]),
      table("second_biases", "I32", [stages, second]),
      table("output_weights", "I16", [stages, codes, second]),
      table("output_biases", "I32", [stages, codes]),
      table("shifts", "I32", [stages, 3]),
    ];
    const places = Uint32Array.from(tables, ({ bytes }) => machine.put(bytes));
    const list = machine.put(new Uint8Array(places.buffer));
    machine.calls.start_mixing(codes, stages, dimensions, first, second, list);
    return list;
  }
}
