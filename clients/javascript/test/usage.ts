// How a program in TypeScript uses the client: checked, never run.
import { Client } from "../src/index.js";

export async function use(client: Client): Promise<void> {
  const found = await client.search({ query: "?", k: 3, filter: { year: 2026 } });
  const url: string | undefined = found.results[0]?.source_url;
  await client.pushPage({ source_url: "https://a/", content: url ?? "" }, { dry_run: true });
  for await (const { event, data } of client.chatStream("default", { message: "?" })) {
    if (event === "delta") data.text.trim();
    // @ts-expect-error an event is known by its name
    else data.text;
  }
  for await (const row of client.iterateTranscripts({ role: "user" })) row.message.trim();
  for await (const contact of client.iterateContacts()) contact.email?.trim();
  const file: ReadableStream<Uint8Array> = await client.exportGaps({ format: "csv" });
  await file.cancel();
  await client.deletePages({ filter: { year: 2020 }, confirm: 3 });
  await client.listEvents({ types: ["gap.opened"], signal: AbortSignal.timeout(1000) });

  // @ts-expect-error it is a query
  await client.search({ question: "?" });
  // @ts-expect-error a page has an address
  await client.pushPage({ content: "?" });
  // @ts-expect-error pages are told by their addresses
  await client.deletePages({ url: "?" });
  // @ts-expect-error a bot is named
  await client.chat({ message: "?" });
  // @ts-expect-error limits are numbers
  await client.listPages({ limit: "many" });
  // @ts-expect-error a connection has no such answer
  found.nothing;
}
