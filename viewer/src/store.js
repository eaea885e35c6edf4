// Models that are here already: kept by the browser from visit to visit, under their fingerprints.

const NAME = "vqcodec-models";

/** The bytes of a model, or null; a browser that keeps nothing is as good as an empty one. */
export async function recall(fingerprint) {
  const found = await transact("readonly", (models) => models.get(fingerprint)).catch(() => null);
  return found ?? null;
}

/** Keep the bytes of a model. */
export async function keep(fingerprint, bytes) {
  await transact("readwrite", (models) => models.put(bytes, fingerprint)).catch(() => {});
}

async function transact(mode, ask) {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(NAME);
  const database = await settled(opening);
  try {
    return await settled(ask(database.transaction(NAME, mode).objectStore(NAME)));
  } finally {
    database.close();
  }
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
