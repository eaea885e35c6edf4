// A picture's stream to its pixels, region by region.

import { Refusal } from "./bytes.js";
import { checkedCut, CodeReader } from "./codes.js";
import { checkFacts, readAlpha } from "./facts.js";
import { Machine } from "./machine.js";
import { readStream } from "./stream.js";
import { Synthesis } from "./synthesis.js";

/**
 * Decode a stream, given the compiled module and what finds a model by its fingerprint.
 *
 * Yields what a page shows on the way: `{stream}` once it is checked, `{done}` with the share that
 * is done, `{codes}` (uint16, stages x rows x columns) once they are all read, and
 * `{region: {top, left, height, width, rgba}}` for each region.
 *
 * Throws a Refusal with the reason.
 */
export async function* decode(data, module, findModel) {
  const stream = readStream(data);
  const { header, chunks, codes: payloads } = stream;
  await checkFacts(chunks);
  const machine = new Machine(module);
  const alpha = await readAlpha(stream, machine);
  const model = await findModel(header.fingerprint);
  if (!model) throw unknownModel(header.fingerprint);
  const { rows, columns, regions } = checkedCut(header, model);
  yield { stream: { header, bytes: data.length, model: model.name, facts: [...chunks.keys()] } };
  const codes = new Uint16Array(header.stages * rows * columns);
  const reader = new CodeReader(machine, model, header);
  for (const [number, region] of regions.entries()) {
    const [tall, wide] = [region.bottom - region.top, region.right - region.left];
    const part = reader.read(payloads[number], number, tall, wide);
    for (let line = 0; line < header.stages * tall; line++) {
      const [stage, y] = [Math.floor(line / tall), region.top + (line % tall)];
      const to = (stage * rows + y) * columns + region.left;
      codes.set(part.subarray(line * wide, (line + 1) * wide), to);
    }
    yield { done: (0.4 * (number + 1)) / regions.length };
  }
  yield { codes };
  const synthesis = new Synthesis(machine, model);
  const place = machine.put(new Uint8Array(codes.buffer));
  const picture = { rows, columns, stages: header.stages, extent: header.extent };
  for (const [number, region] of regions.entries()) {
    const steps = synthesis.region(place, { ...picture, grey: header.channels < 3 }, region);
    let step = steps.next();
    for (; !step.done; step = steps.next()) {
      yield { done: 0.4 + (0.6 * (number + step.value)) / regions.length };
    }
    yield { region: withAlpha(step.value, alpha, header.extent[1]) };
  }
  yield { done: 1 };
}

/** What is said of a model that is not there. */
export function unknownModel(fingerprint) {
  return new Refusal("UnknownModelError", `needs the model ${fingerprint}, which is not here`);
}

function withAlpha(region, alpha, width) {
  if (!alpha) return region;
  const { top, left, rgba } = region;
  for (let y = 0; y < region.height; y++) {
    for (let x = 0; x < region.width; x++) {
      rgba[4 * (y * region.width + x) + 3] = alpha[(top + y) * width + left + x];
    }
  }
  return region;
}
