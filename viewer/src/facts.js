// What a picture's stream carries beside its codes: alpha, the range of sixteen bits, profile, EXIF.

import { demand, inflate, readVarint, Refusal } from "./bytes.js";
import { LIMITS } from "./stream.js";

const TILE = 1024;
const [CONSTANT, FILTERED, TILED] = [0, 1, 2];

/** Refuses a range, a profile or EXIF data that is none. */
export async function checkFacts(chunks) {
  const range = chunks.get("R");
  if (range) {
    const size = `a range chunk has 5 bytes, this one ${range.length}`;
    demand(range.length === 5, "CorruptError", size);
    const [lowest, highest] = [range[1] + 256 * range[2], range[3] + 256 * range[4]];
    const said = `a range chunk says ${range[0]} bits, from ${lowest} to ${highest}`;
    demand(range[0] === 16 && lowest <= highest, "CorruptError", said);
  }
  for (const payload of ["i", "e"].map((type) => chunks.get(type)).filter(Boolean)) {
    const raw = await inflate(payload, LIMITS.metadataBytes, "a metadata chunk");
    const large = `a metadata chunk inflates to more than the limit of ${LIMITS.metadataBytes} bytes`;
    demand(raw.length <= LIMITS.metadataBytes, "LimitError", large);
  }
}

/** The alpha plane, a byte for each sample, or null; `machine` decodes the tiles that are mixed. */
export async function readAlpha({ header, chunks }, machine) {
  const payload = chunks.get("A");
  const wanted = header.channels === 2 || header.channels === 4;
  const state = payload ? "has an alpha chunk and no channel for it" : "lacks its alpha chunk";
  const wrong = `a picture of ${header.channels} channels ${state}`;
  demand(wanted === Boolean(payload), "CorruptError", wrong);
  if (!payload) return null;
  const [height, width] = header.extent;
  if (payload[0] === CONSTANT && payload.length === 2) {
    return new Uint8Array(height * width).fill(payload[1]);
  }
  if (payload[0] === FILTERED) return unfilter(payload.subarray(1), height, width);
  return readTiles(payload, height, width, machine);
}

async function unfilter(payload, height, width) {
  const size = height * (width + 1);
  const rows = await inflate(payload, size, "the alpha chunk");
  const exact = `the alpha chunk does not inflate to exactly ${size} bytes`;
  demand(rows.length === size, "CorruptError", exact);
  const plane = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (width + 1)];
    const unknown = `the alpha chunk has a row of unknown filter ${filter}`;
    demand(filter <= 3, "CorruptError", unknown);
    for (let x = 0; x < width; x++) {
      const place = y * width + x;
      const left = x ? plane[place - 1] : 0;
      const above = y ? plane[place - width] : 0;
      const corner = x && y ? plane[place - width - 1] : 0;
      const prediction = [0, left, above, left + above - corner][filter];
      plane[place] = rows[y * (width + 1) + 1 + x] + prediction;
    }
  }
  return plane;
}

function readTiles(payload, height, width, machine) {
  const [first, steps] = payload;
  const head = `the alpha chunk does not begin as one should: ${[...payload.subarray(0, 2)]}`;
  demand(payload.length >= 2 && first === TILED && steps > 0, "CorruptError", head);
  const values = Uint8Array.from(
    { length: steps + 1 },
    (_, level) => (255 * level + (steps >> 1)) / steps,
  );
  const plane = new Uint8Array(height * width);
  let place = 2;
  for (let top = 0; top < height; top += TILE) {
    for (let left = 0; left < width; left += TILE) {
      const [length, begin] = readTileLength(payload, place);
      const end = begin + Math.max(length, 1);
      const cut = `the alpha chunk ends inside a tile: ${payload.length} bytes of ${end}`;
      demand(end <= payload.length, "CorruptError", cut);
      const [rows, columns] = [Math.min(TILE, height - top), Math.min(TILE, width - left)];
      const level = payload[begin];
      const high = `the alpha chunk has a level of ${level}, above ${steps}`;
      demand(length > 0 || level <= steps, "CorruptError", high);
      const levels = length
        ? mixed(machine, payload.subarray(begin, end), steps, rows, columns)
        : new Uint8Array(rows * columns).fill(level);
      for (let y = 0; y < rows; y++) {
        for (let x = 0; x < columns; x++) {
          plane[(top + y) * width + left + x] = values[levels[y * columns + x]];
        }
      }
      place = end;
    }
  }
  const behind = `${payload.length - place} bytes follow the tiles of the alpha chunk`;
  demand(place === payload.length, "CorruptError", behind);
  return plane;
}

function mixed(machine, payload, steps, rows, columns) {
  try {
    return machine.levels(payload, steps, rows, columns);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const why = `a tile of the alpha chunk does not decode: ${error.message}`;
    throw new Refusal("CorruptError", why);
  }
}

function readTileLength(payload, place) {
  try {
    return readVarint(payload, place, "a tile of the alpha chunk");
  } catch (error) {
    // The chunk is whole, so it is not a file that was cut.
    if (error.kind !== "TruncatedError") throw error;
    throw new Refusal("CorruptError", `the alpha chunk lacks tiles: ${error.message}`);
  }
}
