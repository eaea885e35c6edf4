// The first bytes of a stream, and what others tell of a file that is not one.

import { demand, Refusal } from "./bytes.js";

export const MAGIC = [0x89, 0x56, 0x51, 0x0d, 0x0a, 0x0a];

const DAMAGE = [
  [MAGIC.map((byte) => byte & 0x7f), "the high bits are gone (sent as 7-bit text)"],
  [[0xc2, ...MAGIC], "the bytes were re-encoded as UTF-8"],
  [[0xef, 0xbf, 0xbd, ...MAGIC.slice(1)], "the bytes were re-encoded as UTF-8"],
  [[0xef, 0xbb, 0xbf, ...MAGIC], "a byte order mark was put before it"],
  [[0x89, 0x56, 0x51, 0x0d, 0x0a, 0x0d, 0x0a], "line ends were converted to CR LF (sent as text)"],
  [[0x89, 0x56, 0x51, 0x0d, 0x0d, 0x0a], "line ends were converted to CR LF (sent as text)"],
  [[0x89, 0x56, 0x51, 0x0a, 0x0a], "line ends were converted to LF (sent as text)"],
  [[0x89, 0x56, 0x51, 0x0d, 0x0d], "line ends were converted to CR (sent as text)"],
];

const FOREIGN = [
  ["\x89PNG", "PNG"],
  ["\xff\xd8\xff", "JPEG"],
  ["GIF8", "GIF"],
  ["BM", "BMP"],
  ["II*\0", "TIFF"],
  ["MM\0*", "TIFF"],
  ["\xff\n", "JPEG XL"],
  ["\0\0\0\x0cJXL ", "JPEG XL"],
  ["\0\0\0\x0cjP  ", "JPEG 2000"],
  ["PK\x03\x04", "a zip archive"],
  ["\x1f\x8b", "gzip"],
  ["%PDF", "PDF"],
  ["<svg", "SVG"],
  ["<!DOCTYPE", "HTML"],
  ["<html", "HTML"],
  ["{", "JSON"],
  ["RIFF", "WebP, WAV or AVI"],
];

/** Throws a refusal unless the data begins as a stream does. */
export function checkMagic(data) {
  demand(data.length > 0, "TruncatedError", "empty file");
  const begins = (bytes) => bytes.every((byte, i) => data[i] === byte);
  if (begins(MAGIC)) return;
  const cut = `the data ends inside the magic, after ${data.length} bytes`;
  demand(!MAGIC.slice(0, data.length).every((b, i) => data[i] === b), "TruncatedError", cut);
  for (const [bytes, reason] of DAMAGE) {
    demand(!begins(bytes), "BadMagicError", `damaged in transfer: ${reason}`);
  }
  const head = String.fromCharCode(...data.subarray(0, 16));
  const guess =
    head.slice(4, 8) === "ftyp" ? "AVIF, HEIF or MP4" : FOREIGN.find(([s]) => head.startsWith(s))?.[1];
  throw new Refusal("BadMagicError", `not a vqcodec file${guess ? ` (looks like ${guess})` : ""}`);
}
