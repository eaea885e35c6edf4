// A file that is fetched, with its progress.

import { Refusal } from "./bytes.js";

/** The bytes at an address; report is told how many are there, and of how many. */
export async function fetched(address, report) {
  let answer;
  try {
    answer = await fetch(address);
  } catch (error) {
    throw new Refusal("InputError", `${address} cannot be fetched: ${error.message}`);
  }
  if (!answer.ok) throw new Refusal("InputError", `${address} cannot be fetched: ${answer.status}`);
  const total = Number(answer.headers.get("content-length")) || 0;
  const reader = answer.body.getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    report(size, total);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
