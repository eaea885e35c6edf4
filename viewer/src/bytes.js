// What a stream is made of below its chunks: refusals, whole numbers, checksums, inflation.

/** A file that is not shown, and why; `kind` is the name of the error in the Python package. */
export class Refusal extends Error {
  constructor(kind, reason) {
    super(reason);
    this.name = "Refusal";
    this.kind = kind;
  }
}

/** Throws the refusal unless a condition holds. */
export function demand(holds, kind, reason) {
  if (!holds) throw new Refusal(kind, reason);
}

/** The number that starts at an offset, and the offset behind it; seven bits a byte, low ones first. */
export function readVarint(data, start, what) {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const place = start + index;
    demand(place < data.length, "TruncatedError", `the data ends inside ${what} at byte ${place}`);
    const byte = data[place];
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) {
      const longer = `${what} at byte ${start} is written with more bytes than needed`;
      demand(byte !== 0 || index === 0, "CorruptError", longer);
      if (value > 0xffffffff) break;
      return [value, place + 1];
    }
  }
  throw new Refusal("CorruptError", `${what} at byte ${start} does not fit in 32 bits`);
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The CRC-32 of zlib, begun from that of what comes before. */
export function crc32(data, before = 0) {
  let value = ~before;
  for (const byte of data) value = CRC[(value ^ byte) & 255] ^ (value >>> 8);
  return ~value >>> 0;
}

/** A number of four bytes, the low one first. */
export function readUint32(data, start) {
  return new DataView(data.buffer, data.byteOffset + start, 4).getUint32(0, true);
}

/** All of a zlib stream that ends with the data; never more than `limit` bytes and one. */
export async function inflate(data, limit, what) {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
  const reader = stream.getReader();
  const parts = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      size += value.length;
      if (size > limit) break;
    }
  } catch (error) {
    throw new Refusal("CorruptError", `${what} does not inflate: ${error.message}`);
  } finally {
    reader.cancel().catch(() => {});
  }
  const whole = new Uint8Array(size);
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}
