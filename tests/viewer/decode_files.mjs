// Decodes streams with the viewer's own modules under Node, and says what came of each.
//
//   node decode_files.mjs MODULE JOBS.json OUT
//
// JOBS: [{name, stream, model, pixels}], paths, and whether pixels are wanted. Prints a line of JSON for each: {name, codes: SHA-256,
// shape} or {name, refused, kind}; OUT/NAME.rgba gets the pixels.

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";

import { decode } from "../../viewer/src/decode.js";
import { readModel } from "../../viewer/src/model.js";

const [modulePath, jobs, out] = process.argv.slice(2);
const module = await WebAssembly.compile(await readFile(modulePath));
const models = new Map();

async function modelAt(path) {
  if (!models.has(path)) models.set(path, await readModel(new Uint8Array(await readFile(path))));
  return models.get(path);
}

async function run({ name, stream, model, pixels: wanted }) {
  const data = new Uint8Array(await readFile(stream));
  const given = await modelAt(model);
  const find = async (fingerprint) => (fingerprint === given.fingerprint ? given : null);
  const said = { name };
  let pixels, width;
  for await (const step of decode(data, module, find)) {
    if (step.stream) {
      const [height] = step.stream.header.extent;
      width = step.stream.header.extent[1];
      pixels = new Uint8Array(4 * height * width);
      said.stages = step.stream.header.stages;
    }
    if (step.codes) {
      said.codes = createHash("sha256").update(new Uint8Array(step.codes.buffer)).digest("hex");
      if (!wanted) return said;
    }
    if (step.region) {
      const { rgba, top, left } = step.region;
      for (let y = 0; y < step.region.height; y++) {
        const row = rgba.subarray(4 * y * step.region.width, 4 * (y + 1) * step.region.width);
        pixels.set(row, 4 * ((top + y) * width + left));
      }
    }
  }
  await writeFile(`${out}/${name}.rgba`, pixels);
  return said;
}

for (const job of JSON.parse(await readFile(jobs, "utf8"))) {
  const said = await run(job).catch((error) => {
    if (error.name !== "Refusal") throw error;
    return { name: job.name, refused: error.message, kind: error.kind };
  });
  console.log(JSON.stringify(said));
}
