// Decodes beside the page, which so never waits. In: {open: bytes} or {model: bytes}, both with a
// ticket. Out: what `decode` yields, {note}, {finished}, or {refused: reason, kind}.

import wasm from "decoder.wasm";
import { Refusal } from "./bytes.js";
import { decode } from "./decode.js";
import { fetched } from "./fetched.js";
import { readModel } from "./model.js";
import { keep, recall } from "./store.js";

const models = new Map();
let compiled;
// What the page says of itself: where the models that came with it lie.
let home = { models: {}, base: null };

self.onmessage = async ({ data: message }) => {
  const { ticket } = message;
  const tell = (what, moved = []) => self.postMessage({ ticket, ...what }, moved);
  try {
    if (message.home) home = message.home;
    if (message.model) await addModel(message.model, tell);
    if (message.open) await open(message.open, tell);
  } catch (error) {
    tell(refusal(error));
  }
};

async function open(data, tell) {
  compiled ??= await WebAssembly.compile(wasm);
  const started = performance.now();
  for await (const step of decode(data, compiled, (name) => findModel(name, tell))) {
    tell(step, step.region ? [step.region.rgba.buffer] : []);
  }
  tell({ finished: { seconds: (performance.now() - started) / 1000 } });
}

async function findModel(fingerprint, tell) {
  if (!models.has(fingerprint)) {
    const kept = await recall(fingerprint);
    const bytes = kept ?? (await fetchModel(fingerprint, tell));
    if (!bytes) return null;
    const model = await readModel(bytes);
    if (model.fingerprint !== fingerprint) return null;
    models.set(fingerprint, model);
    if (!kept) await keep(fingerprint, bytes);
  }
  return models.get(fingerprint);
}

async function fetchModel(fingerprint, tell) {
  const file = home.models[fingerprint];
  if (!file || !home.base) return null;
  try {
    return await fetched(new URL(file, home.base).href, (size, total) => {
      const of = total ? ` of ${(total / 1e6).toFixed(1)}` : "";
      tell({ note: `fetching the model, once: ${(size / 1e6).toFixed(1)}${of} MB` });
    });
  } catch (error) {
    // The page then asks for the file.
    if (!(error instanceof Refusal)) throw error;
    return null;
  }
}

async function addModel(bytes, tell) {
  const model = await readModel(bytes);
  models.set(model.fingerprint, model);
  await keep(model.fingerprint, bytes);
  tell({ added: { name: model.name, fingerprint: model.fingerprint } });
}

function refusal(error) {
  if (error instanceof Refusal) {
    return { refused: error.message, kind: error.kind, needs: /^needs the model (\w+)/.exec(error.message)?.[1] };
  }
  // A trap of the module or a browser without memory: the file is at fault, or too large.
  return { refused: `cannot be decoded here: ${error.message ?? error}`, kind: "Error" };
}
