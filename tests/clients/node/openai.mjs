// The `openai` package: node openai.mjs BASE_URL TOKEN. Writes what it saw as JSON.
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "When does our shop in Bern open in the morning?" }];
const seen = {};

seen.models = (await client.models.list()).data.map((model) => model.id);

const whole = await client.chat.completions.create({ model: "default", messages, user: "node" });
seen.whole = whole.choices[0].message.content;
seen.cited = whole.choices[0].message.annotations[0].url_citation.url;

const stream = await client.chat.completions.create({
  model: "default",
  messages,
  user: "node-stream",
  stream: true,
  stream_options: { include_usage: true },
});
seen.streamed = "";
for await (const chunk of stream) {
  seen.streamed += chunk.choices[0]?.delta.content ?? "";
  seen.usage = chunk.usage ?? null;
}

const runner = client.chat.completions.stream({ model: "default", messages, user: "node-runner" });
seen.gathered = (await runner.finalChatCompletion()).choices[0].message.content;

try {
  await client.chat.completions.create({ model: "gpt-4o", messages });
} catch (error) {
  seen.error = { status: error.status, code: error.code, param: error.param };
}

const embedded = await client.embeddings.create({ model: seen.models.at(-1), input: ["a", "b"] });
seen.dimensions = embedded.data.map((one) => one.embedding.length);

const response = await client.responses.create({ model: "default", input: messages[0].content });
seen.response = response.output_text;
const events = client.responses.stream({ model: "default", input: messages[0].content });
seen.responseStream = (await events.finalResponse()).output_text;

const page = await client.vectorStores.search("default", { query: messages[0].content });
seen.found = page.data[0].attributes.source_url;

const cut = await client.chat.completions.create({
  model: "slow",
  messages,
  user: "node-cut",
  stream: true,
});
for await (const chunk of cut) {
  if (chunk.choices[0].delta.content) break;
}

console.log(JSON.stringify(seen));
