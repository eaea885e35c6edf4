// A model file, as docs/format.md lays it down under "Model file": what decoding depends on.

import { demand, Refusal } from "./bytes.js";

const DTYPES = { F16: "<f2", F32: "<f4", U8: "|u1", I16: "<i2", U16: "<u2", I32: "<i4", I64: "<i8" };
const BYTES = { F16: 2, F32: 4, U8: 1, I16: 2, U16: 2, I32: 4, I64: 8 };
const MAX_HEADER_BYTES = 2 ** 20;
const bad = (reason) => new Refusal("BadModelError", `the model file ${reason}`);

/**
 * A model's name, fingerprint, sizes and tensors.
 *
 * Refuses what is no model, a content that does not give the fingerprint it claims, and a network
 * that this page does not know.
 */
export async function readModel(data) {
  const [header, begin] = parseHeader(data);
  const facts = header.__metadata__ ?? {};
  if (facts.format !== "vqcodec-model-1") throw bad("is no model of vqcodec");
  const tensors = new Map();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.set(name, findTensor(data, begin, entry, name));
  }
  const fingerprint = await takeFingerprint(facts.config, tensors);
  if (fingerprint !== facts.fingerprint) throw bad("is damaged or was changed");
  return new Model(facts.name, fingerprint, readSizes(facts.config), tensors);
}

class Model {
  constructor(name, fingerprint, sizes, tensors) {
    Object.assign(this, { name, fingerprint, sizes, tensors });
  }

  /** The bytes of a tensor, which must have this type and shape; -1 stands for any length. */
  tensor(name, dtype, shape) {
    const found = this.tensors.get(name);
    const fits =
      found?.dtype === dtype &&
      found.shape.length === shape.length &&
      shape.every((length, axis) => length === -1 || length === found.shape[axis]);
    if (!fits) throw bad(`holds no ${name} of ${dtype} and shape ${shape.join(" x ")}`);
    return found;
  }

  has(name) {
    return this.tensors.has(name);
  }
}

function parseHeader(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const size = data.length >= 8 ? Number(view.getBigUint64(0, true)) : 0;
  if (size < 2 || size > MAX_HEADER_BYTES || 8 + size > data.length) throw bad("is no safetensors file");
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(data.subarray(8, 8 + size));
    return [JSON.parse(text), 8 + size];
  } catch {
    throw bad("is no safetensors file");
  }
}

function findTensor(data, begin, entry, name) {
  const { dtype, shape, data_offsets: offsets } = entry;
  const count = shape.reduce((product, length) => product * length, 1);
  const [first, last] = offsets;
  const fits = first >= 0 && last - first === count * BYTES[dtype] && begin + last <= data.length;
  if (!fits) throw bad(`is cut or damaged at ${name}`);
  return { dtype, shape, bytes: data.subarray(begin + first, begin + last) };
}

async function takeFingerprint(config, tensors) {
  const browser = "open this page over https, from localhost or as a file: only then can a browser check a model";
  demand(globalThis.crypto?.subtle, "MissingDependencyError", browser);
  const text = new TextEncoder();
  const parts = [text.encode(config)];
  for (const name of [...tensors.keys()].sort()) {
    if (name.startsWith("analysis.") || name.startsWith("search.")) continue;
    const { dtype, shape, bytes } = tensors.get(name);
    const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
    parts.push(text.encode(`\n${name} ${DTYPES[dtype]} ${tuple}\n`), bytes);
  }
  const all = await new Blob(parts).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", all));
  return [...hash.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The numbers of a configuration, within what a browser can hold. */
function readSizes(config) {
  const { medium, synthesis, quantizer, region } = JSON.parse(config);
  const known =
    medium.kind === "picture" &&
    synthesis.kind === "convolutional" &&
    synthesis.stride.length === 2 &&
    quantizer.kind === "residual";
  if (!known) throw bad("is not for pictures, or of a kind that this page does not know");
  const sizes = {
    channels: medium.channels,
    stride: synthesis.stride,
    latent: synthesis.latent_dim,
    width: synthesis.width,
    depth: synthesis.depth,
    stages: quantizer.stages,
    codes: quantizer.codebook_size,
    region,
  };
  const numbers = Object.values(sizes).flat();
  const sound =
    [1, 3].includes(sizes.channels) &&
    sizes.codes <= 4096 &&
    sizes.stages <= 64 &&
    numbers.every((n) => Number.isInteger(n) && n > 0 && n < 65536) &&
    region[0] * region[1] <= 2 ** 20;
  if (!sound) throw bad("has numbers out of range");
  return sizes;
}
