/** The conversation that is open. It lives beside the rooms: an answer goes on when Ask is left. */
import { api } from "./api.js";
import { nameView, readAddress } from "./address.js";
import { t } from "./texts.js";

const listeners = new Set();
let stopping = null;
let keys = 0;

export const talk = {
  bot: null,
  conversation: null,
  turns: [],
  busy: false,
  draft: "",
  fault: null,
  /** The whole answer, once it is whole: what a screen reader says. */
  announced: "",
  /** How many questions were asked here; whoever lists conversations looks again. */
  asked: 0,

  watch(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },

  /** Reads a conversation, unless it is the one that is open. */
  async open(bot, id, again = false) {
    if (!again && bot === this.bot && id === this.conversation) return;
    this.stop();
    Object.assign(this, { bot, conversation: id, turns: [], fault: null, announced: "" });
    tell();
    if (!id) return;
    try {
      const { messages } = await api.getConversation(bot, id);
      if (this.conversation !== id) return;
      this.turns = turnsOf(messages);
    } catch (error) {
      if (this.conversation === id) this.fault = error;
    }
    tell();
  },

  begin(id) {
    this.conversation = id;
    if (readAddress().room === "ask") nameView(["ask", id]);
  },

  forget(id) {
    if (id === this.conversation) Object.assign(this, { conversation: null, turns: [] });
    tell();
  },

  stop() {
    stopping?.abort();
  },

  /** Asks, and draws the answer as it comes. */
  async ask(bot, question) {
    const stop = (stopping = new AbortController());
    const turn = { key: `n${(keys += 1)}`, question, answer: "", state: "thinking", at: new Date().toISOString() };
    this.turns = [...this.turns, turn];
    Object.assign(this, { busy: true, announced: "", bot });
    tell();
    try {
      const body = { message: question, ...(this.conversation && { conversationId: this.conversation }) };
      for await (const { event, data } of api.chatStream(bot, body, { signal: stop.signal, timeout: 0 })) {
        if (event === "sources" && !this.conversation && this.turns.includes(turn)) this.begin(data.conversationId);
        heard(turn, event, data);
        tell();
      }
    } catch (error) {
      turn.state = stop.signal.aborted ? "stopped" : "failed";
      if (turn.state === "failed") turn.fault = error;
    }
    if (stopping === stop) Object.assign(this, { busy: false, asked: this.asked + 1 });
    if (this.turns.includes(turn)) this.announced = t("ask.announced", { answer: turn.answer || t(`ask.${turn.state}`), n: turn.sources?.length ?? 0 });
    tell();
  },

  async rate(turn, rating, comment) {
    const { feedback } = await api.rateAnswer(this.bot, turn.id, { rating, ...(comment && { comment }) });
    turn.feedback = feedback;
    tell();
  },
};

function heard(turn, event, data) {
  if (event === "sources") Object.assign(turn, { state: "writing", answered: data.hasRagContext, sources: data.sources, related: data.related });
  else if (event === "delta") turn.answer += data.text;
  else if (event === "done") Object.assign(turn, { state: "done", id: data.messageId, answered: data.hasRagContext, sources: data.sources, related: data.related });
}

/** Messages as turns. An answer belongs to the question before it. */
function turnsOf(messages) {
  const turns = [];
  for (const message of messages) {
    if (message.role === "user") turns.push({ key: message.id, question: message.content, answer: "", state: "cut", at: message.timestamp });
    else if (!turns.length || turns.at(-1).state === "done") turns.push(answered({ key: message.id, question: "" }, message));
    else answered(turns.at(-1), message);
  }
  return turns;
}

const answered = (turn, message) => Object.assign(turn, {
  id: message.id, answer: message.content, state: "done", answered: message.hasRagContext, at: message.timestamp,
  sources: message.sources ?? [], related: message.related ?? [], feedback: message.feedback, by: message.senderType,
});

const tell = () => listeners.forEach((listener) => listener());
