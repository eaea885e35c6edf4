// The WebAssembly module: numbers in, numbers out, its memory kept in order.

import { Refusal } from "./bytes.js";

/** A module that was compiled once, in use for one file: after a refusal it is given up. */
export class Machine {
  constructor(module) {
    const missing = WebAssembly.Module.imports(module).filter((entry) => entry.module !== "page");
    // What the C library would ask of an operating system is never asked.
    const system = {};
    for (const { module: from, name } of missing) (system[from] ??= {})[name] = () => 52;
    const page = { refuse: (place) => this.#refuse(place) };
    const instance = new WebAssembly.Instance(module, { ...system, page });
    this.calls = instance.exports;
    this.calls._initialize?.();
  }

  /** Zeros, as many bytes; the place where they begin. */
  allocate(bytes) {
    return this.calls.allocate(bytes) >>> 0;
  }

  release(...places) {
    for (const place of places) this.calls.release(place);
  }

  /** Bytes, copied into the module; the place where they begin. */
  put(bytes) {
    const place = this.allocate(bytes.length);
    this.bytes(place, bytes.length).set(bytes);
    return place;
  }

  /** What stands at a place, as it is now; any call may move it. */
  bytes(place, length) {
    return new Uint8Array(this.calls.memory.buffer, place, length);
  }

  /** The levels of a mixed tile of alpha. */
  levels(payload, highest, rows, columns) {
    const [from, to] = [this.put(payload), this.allocate(rows * columns)];
    this.calls.decode_levels(from, payload.length, highest, rows, columns, to);
    const levels = this.bytes(to, rows * columns).slice();
    this.release(from, to);
    return levels;
  }

  #refuse(place) {
    const bytes = new Uint8Array(this.calls.memory.buffer, place);
    const reason = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
    const memory = reason.endsWith("bad_alloc");
    throw memory
      ? new Refusal("MemoryError", "not enough memory for a picture of this size")
      : new Refusal("CorruptError", reason);
  }
}
