// What goes in and what comes out, as the OpenAPI document says it.
import type { components, operations } from "./openapi.js";

export type Schemas = components["schemas"];
export type Operation = keyof operations;

/** Conditions on the metadata of documents: `{"year": {"gte": 2024}}`. */
export type Filter = { [key: string]: unknown };

type Filtered = "search" | "chat" | "askBot" | "chatStream" | "listPages";
type Extra<N> = N extends Filtered ? { filter?: Filter } : object;

type Content<T> = T extends { content: { "application/json": infer J } } ? J : never;
type Unwrapped<J> = J extends { success: boolean; data: infer D }
  ? D
  : J extends { status: "success"; data: infer D }
    ? D
    : J;
type Success<R> = R extends { 200: infer S } ? S : R extends { 201: infer S } ? S : never;

/** What a method answers: the body, without the envelope of its dialect. */
export type Answer<N extends Operation> = Unwrapped<Content<Success<operations[N]["responses"]>>>;

type Described<N extends Operation> = Content<
  NonNullable<operations[N] extends { requestBody?: infer B } ? B : never>
>;

/** The JSON body that a method sends. */
export type Body<N extends Operation> = N extends "deletePages"
  ? Partial<Omit<Described<N>, "filter" | "confirm">> & { filter?: Filter; confirm?: number }
  : Described<N> & Extra<N>;

type Query<N extends Operation> = OrNone<NonNullable<operations[N]["parameters"]["query"]>>;
type OrNone<Q> = [Q] extends [never] ? object : Q;

export interface CallOptions {
  /** Ends the call, and a stream in its midst, with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds until the answer, or a stream, has to begin; 0 for ever. */
  timeout?: number | undefined;
  /** How often a call that may be repeated is tried again; 0 for never. */
  retries?: number | undefined;
}

/** Parameters of the query, spelled as in HTTP, and how to call. */
export type Options<N extends Operation> = Lists<Query<N>> & Extra<N> & CallOptions;

type Lists<Q> = { [K in keyof Q]: K extends "types" ? Q[K] | string[] : Q[K] };

/** A method without a body: the ids of the path, then the options. */
export type Get<N extends Operation, Ids extends string[] = []> = (
  ...args: [...ids: Ids, options?: Options<N>]
) => Promise<Answer<N>>;

/** A method with a body: the ids of the path, the body, then the options. */
export type Send<N extends Operation, Ids extends string[] = []> = (
  ...args: [...ids: Ids, body: Body<N>, options?: Options<N>]
) => Promise<Answer<N>>;

type ItemKeys = "items" | "leads" | "conversations" | "webhooks" | "deliveries" | "contacts";
type Items<A> = A extends unknown ? A[Extract<keyof A, ItemKeys>] : never;
type ItemOf<N extends Operation> = Items<Answer<N>> extends readonly (infer I)[] ? I : never;
type Skipped = "limit" | "offset" | "page" | "per_page";

/** All items of a list, over its pages. */
export type Iterate<N extends Operation, Ids extends string[] = []> = (
  ...args: [...ids: Ids, options?: Omit<Options<N>, Skipped>]
) => AsyncGenerator<ItemOf<N>, void, undefined>;

/** A file of all rows. */
export type Export<N extends Operation, Format extends string> = (
  options?: Omit<Options<N>, Skipped> & { format?: Format },
) => Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;

/** A document to push. */
export type Page = Body<"pushPage">;

type Lines<R> = R extends { 200: { content: { "application/x-ndjson": infer L } } } ? L : never;

/** What came of one line of a batch, or of one document of a file. */
export type BatchResult = Lines<operations["pushBatch"]["responses"]>;

/** A question with the pages that answer it. */
export type GoldenQuestion = Lines<operations["goldenQuestions"]["responses"]>;

export type ChatEvent =
  | { event: "sources"; data: Pick<Schemas["Reply"], "conversationId" | "hasRagContext" | "sources" | "related"> }
  | { event: "delta"; data: { text: string } }
  | { event: "done"; data: Omit<Schemas["Reply"], "response"> & { usage: Usage } };

export interface Usage {
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
}

/** What happened, as /events and webhooks tell it. */
export type Event = Schemas["FeedEvent"];

export interface ClientOptions {
  /** Where the service is, with the prefix of a proxy if it has one; "" for a page's own host. */
  baseUrl: string;
  /** `rag-service token create NAME`. */
  token?: string | undefined;
  /** In place of the global one. */
  fetch?: typeof fetch | undefined;
  /** Milliseconds until an answer has to begin: 120,000 without it. */
  timeout?: number | undefined;
  /** How often a call that may be repeated is tried again: 2 without it. */
  retries?: number | undefined;
}

/** What a webhook is told. */
export interface WebhookEvent {
  type: string;
  timestamp: string;
  id: string;
  /** Empty where it is of no bot. */
  bot_id: string;
  data: { [key: string]: unknown };
}
