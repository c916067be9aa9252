// Streams of bytes, read as server-sent events or as lines of JSON.

/**
 * One line after the other, without its end. Bytes are decoded over the borders of chunks. The
 * source is cancelled when its reader stops early.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {RegExp} end a line's end
 * @returns {AsyncGenerator<string, void, undefined>}
 */
async function* lines(body, end) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      // a CR at the end of a chunk may be the first half of CRLF
      const held = !done && rest.endsWith("\r") ? "\r" : "";
      const parts = rest.slice(0, rest.length - held.length).split(end);
      rest = (parts.pop() ?? "") + held;
      yield* parts;
      if (done) break;
    }
    if (rest) yield rest;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/**
 * The events of a stream, as the HTML standard reads them, and the ids that come without one, whose
 * `data` is empty. An event that the stream breaks off is dropped.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<{event: string, data: string, id: string}, void, undefined>}
 */
export async function* serverSentEvents(body) {
  let [event, id] = ["", ""];
  /** @type {string[]} */
  let data = [];
  for await (const line of lines(body, /\r\n|\n|\r/)) {
    if (line === "") {
      if (data.length > 0 || id) yield { event: event || "message", data: data.join("\n"), id };
      [event, data, id] = ["", [], ""];
      continue;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
    else if (name === "id") id = value;
  }
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<any, void, undefined>}
 */
export async function* jsonLines(body) {
  for await (const line of lines(body, /\r?\n/)) {
    if (line.trim() !== "") yield JSON.parse(line);
  }
}

/**
 * A body of one JSON text a line. It is sent while it is made, where the platform can do that;
 * browsers send it when it is whole.
 *
 * @param {Iterable<unknown> | AsyncIterable<unknown>} items
 * @returns {Promise<Blob | ReadableStream<Uint8Array>>}
 */
export async function ndjson(items) {
  if (canStreamUp() && Symbol.asyncIterator in items) return streamUp(items);
  const parts = [];
  for await (const item of items) parts.push(`${JSON.stringify(item)}\n`);
  return new Blob(parts);
}

function canStreamUp() {
  const platform = /** @type {any} */ (globalThis);
  return Boolean(platform.process?.versions?.node ?? platform.Deno);
}

/** @param {AsyncIterable<unknown>} items */
function streamUp(items) {
  const encoder = new TextEncoder();
  const iterator = items[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
