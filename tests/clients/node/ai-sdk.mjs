// Vercel's AI SDK: node ai-sdk.mjs BASE_URL TOKEN. Writes what it saw as JSON.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, streamText } from "ai";

const [baseURL, apiKey] = process.argv.slice(2);
const provider = createOpenAICompatible({ name: "rag", baseURL, apiKey, includeUsage: true });
const prompt = "When does our shop in Bern open in the morning?";
const seen = {};

const whole = await generateText({ model: provider("default"), prompt, maxRetries: 0 });
seen.whole = whole.text;
seen.finish = whole.finishReason;

const stream = streamText({ model: provider("default"), prompt, maxRetries: 0 });
seen.streamed = "";
for await (const piece of stream.textStream) seen.streamed += piece;
const usage = await stream.usage;
seen.total = usage.totalTokens;

try {
  await generateText({ model: provider("gpt-4o"), prompt, maxRetries: 0 });
} catch (error) {
  seen.error = { status: error.statusCode, message: error.message };
}

const model = provider.textEmbeddingModel(process.argv[4]);
const embedded = await embedMany({ model, values: ["a", "b"], maxRetries: 0 });
seen.dimensions = embedded.embeddings.map((one) => one.length);

const controller = new AbortController();
const cut = streamText({
  model: provider("slow"),
  prompt: `${prompt} I am leaving.`,
  abortSignal: controller.signal,
  maxRetries: 0,
});
for await (const piece of cut.textStream) {
  if (piece) {
    controller.abort();
    break;
  }
}

console.log(JSON.stringify(seen));
