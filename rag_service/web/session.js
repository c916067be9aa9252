/** Who is signed in: a token, kept for this tab or, by choice, on this device. */
const KEPT = "rag-service token";

let token = sessionStorage.getItem(KEPT) ?? localStorage.getItem(KEPT);
let waiting = [];
const listeners = new Set();

export const session = {
  get token() {
    return token;
  },
  /** What the token may do: `name`, `scopes`, `bot_id`. Null until it is known. */
  holder: null,
  /** Whether somebody has to sign in before anything goes on. */
  get wanted() {
    return waiting.length > 0;
  },
  may(scope) {
    const scopes = this.holder?.scopes ?? [];
    return scopes.includes(scope) || scopes.includes("admin");
  },
  signIn(given, holder, onDevice) {
    this.holder = holder;
    token = given;
    (onDevice ? localStorage : sessionStorage).setItem(KEPT, given);
    const resumed = waiting;
    waiting = [];
    resumed.forEach((resume) => resume());
    tell();
  },
  signOut() {
    token = null;
    this.holder = null;
    sessionStorage.removeItem(KEPT);
    localStorage.removeItem(KEPT);
    tell();
  },
  /** Resolves when somebody has signed in; what was typed meanwhile stays where it is. */
  again() {
    return new Promise((resolve) => {
      waiting.push(resolve);
      tell();
    });
  },
  watch(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

/** The token of a link /ui/#token=..., which leaves the address and the history at once. */
export function tokenOfAddress() {
  const found = /^#token=([^&]+)/.exec(location.hash);
  if (!found) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return found[1];
}

const tell = () => listeners.forEach((listener) => listener());
