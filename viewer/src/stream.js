// A stream as docs/format.md lays it down: header, side chunks, a code chunk for each region. All of
// it is checked before anything is decoded; refusals are those of vqcodec/bitstream.

import { crc32, demand, readUint32, readVarint, Refusal } from "./bytes.js";
import { checkMagic, MAGIC } from "./magic.js";

const FIXED = MAGIC.length + 3 + 8;
const PRIORS = 3;
const SMALLEST_CHUNK = 6;
const CODES = "C";
const LETTERS = "ARie";
const MEDIA = ["picture", "sound", "video", "array"];

export const LIMITS = { samples: 2 ** 26, metadataBytes: 2 ** 24, sideChunks: 256 };

/**
 * Header, side chunks by their letters, and the payload of each region.
 *
 * The browser holds all of a picture, so fewer samples are taken than by the command.
 */
export function readStream(data) {
  const [header, begin] = readHeader(data);
  const left = data.length - begin;
  const short = `the data ends early: ${left} bytes cannot hold ${header.regions} code chunks`;
  demand(left >= header.regions * SMALLEST_CHUNK, "TruncatedError", short);
  const checksum = data.subarray(begin - 4, begin);
  const [chunks, first] = readSideChunks(data, begin, checksum);
  const none = `the data ends before the first of ${header.regions} code chunks`;
  demand(first < data.length, "TruncatedError", none);
  checkSideChunks(chunks);
  const codes = [];
  let start = first;
  for (let region = 0; region < header.regions; region++) {
    const early = `the data ends after ${region} of ${header.regions} code chunks`;
    demand(start < data.length, "TruncatedError", early);
    const chunk = readChunk(data, start, checksum, region, `code chunk ${region}`);
    const other = `code chunk ${region} expected, found one of type '${chunk.type}'`;
    demand(chunk.type === CODES, "CorruptError", other);
    codes.push(chunk.payload);
    start = chunk.end;
  }
  const behind = `${data.length - start} bytes follow the end of the stream`;
  demand(start === data.length, "CorruptError", behind);
  return { header, chunks: new Map(chunks.map((chunk) => [chunk.type, chunk.payload])), codes };
}

function readHeader(data) {
  checkMagic(data);
  const inside = `the data ends inside the header, after ${data.length} bytes`;
  demand(data.length >= FIXED, "TruncatedError", inside);
  const [version, medium, prior] = data.subarray(MAGIC.length);
  demand(version > 0, "CorruptError", "format version 0 does not exist: the file is damaged");
  const newer = `format version ${version} needs a newer viewer, or the file is damaged`;
  demand(version === 1, "UnsupportedVersionError", newer);
  let [channels, start] = readVarint(data, FIXED, "the channels");
  const extent = [];
  for (let axis = 0; axis <= medium >> 4; axis++) {
    const [length, end] = readVarint(data, start, `the extent along axis ${axis}`);
    extent.push(length);
    start = end;
  }
  demand(start < data.length, "TruncatedError", inside);
  const stages = data[start];
  const [regions, end] = readVarint(data, start + 1, "the number of regions");
  const cut = `the data ends inside the header's checksum at byte ${data.length}`;
  demand(data.length >= end + 4, "TruncatedError", cut);
  const right = crc32(data.subarray(0, end)) === readUint32(data, end);
  demand(right, "ChecksumError", "header checksum does not match: the file is damaged");
  const fingerprint = [...data.subarray(FIXED - 8, FIXED)]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  const header = { medium: medium & 15, prior, channels, extent, stages, regions, fingerprint };
  judge(header);
  return [header, end + 4];
}

/** Refuses what arrived undamaged and makes no sense, or is not for this page. */
function judge({ medium, prior, channels, extent, stages, regions }) {
  const shape = extent.join(" x ");
  const samples = extent.reduce((product, length) => product * length, 1);
  demand(!extent.includes(0), "CorruptError", `the header declares an empty signal, ${shape}`);
  const many = `the header declares ${channels} channels`;
  demand(channels >= 1 && channels <= 256, "CorruptError", many);
  const deep = `the header declares ${stages} stages, there are 1 to 64`;
  demand(stages >= 1 && stages <= 64, "CorruptError", deep);
  demand(prior <= PRIORS, "UnsupportedVersionError", `prior ${prior} needs a newer viewer`);
  const open = "a stream of open length needs a newer viewer";
  demand(regions > 0, "UnsupportedVersionError", open);
  const large = `the signal has ${shape} samples, more than the limit of ${LIMITS.samples}`;
  demand(samples <= LIMITS.samples, "LimitError", large);
  const unknown = `medium ${medium} needs a newer viewer, or the file is damaged`;
  demand(medium < MEDIA.length, "UnsupportedVersionError", unknown);
  const other = `holds ${{ 1: "a sound", 2: "a video", 3: "an array" }[medium]}, this page shows pictures`;
  demand(medium === 0, "UnsupportedVersionError", other);
  const bounded = `prior ${prior} of a picture needs a newer viewer`;
  demand(prior < PRIORS, "UnsupportedVersionError", bounded);
  const wrong = `a picture has 2 axes and 1 to 4 channels, the header says ${extent.length} and ${channels}`;
  demand(extent.length === 2 && channels <= 4, "CorruptError", wrong);
}

function readChunk(data, start, checksum, number, name, limit = Infinity) {
  const [length, body] = readVarint(data, start + 1, `the length of ${name}`);
  const end = body + length + 4;
  const there = Math.max(0, data.length - body - 4);
  const cut = `${name} at byte ${start} declares ${length} bytes of payload, only ${there} are there`;
  demand(end <= data.length, "TruncatedError", cut);
  const large = `${name} at byte ${start} has ${length} bytes of payload, more than the limit of ${limit}`;
  demand(length <= limit, "LimitError", large);
  const place = new Uint8Array(8);
  place.set(checksum);
  new DataView(place.buffer).setUint32(4, number, true);
  const right = crc32(data.subarray(start, end - 4), crc32(place)) === readUint32(data, end - 4);
  const damaged = `the checksum of ${name} does not match: the file is damaged`;
  demand(right, "ChecksumError", damaged);
  const type = String.fromCharCode(data[start]);
  const letter = `${name} at byte ${start} has a type that is no letter: '${type}'`;
  demand(/[A-Za-z]/.test(type), "CorruptError", letter);
  return { type, payload: data.subarray(body, end - 4), end };
}

function readSideChunks(data, begin, checksum) {
  const chunks = [];
  let start = begin;
  while (start < data.length && data[start] !== CODES.charCodeAt(0)) {
    const many = `more than ${LIMITS.sideChunks} chunks before the codes`;
    demand(chunks.length < LIMITS.sideChunks, "LimitError", many);
    const critical = data[start] >= 65 && data[start] <= 90;
    const limit = critical ? Infinity : LIMITS.metadataBytes;
    const chunk = readChunk(data, start, checksum, 0, `chunk ${chunks.length}`, limit);
    chunks.push(chunk);
    start = chunk.end;
  }
  return [chunks, start];
}

function checkSideChunks(chunks) {
  for (const { type } of chunks) {
    if (!LETTERS.includes(type)) {
      const unknown = `a chunk of the unknown critical type '${type}' needs a newer viewer`;
      if (type === type.toUpperCase()) throw new Refusal("UnsupportedVersionError", unknown);
      continue;
    }
    const count = chunks.filter((chunk) => chunk.type === type).length;
    demand(count === 1, "CorruptError", `the stream has ${count} chunks of type '${type}'`);
  }
}
