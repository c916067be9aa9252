/** The state of a view is its address: #/room/part?name=value. Nothing of it reaches a server. */
import { useState, useEffect } from "./view.js";

export function readAddress(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decoded);
  return { parts, room: parts[0] ?? "ask", params: Object.fromEntries(new URLSearchParams(query)) };
}

/** A link to a view. Parameters that are empty are left out. */
export function to(parts, params = {}) {
  const given = Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false);
  const query = new URLSearchParams(given).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${query && `?${query}`}`;
}

export function go(parts, params) {
  location.hash = to(parts, params);
}

/** Changes parameters of this view. With `replace` there is no step back, as while somebody types. */
export function setParams(changes, { replace = false } = {}) {
  const { parts, params, room } = readAddress();
  const hash = to(parts.length ? parts : [room], { ...params, ...changes });
  if (!replace) location.hash = hash;
  else if (hash !== location.hash) {
    history.replaceState(null, "", hash);
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
}

/** The view is of something that has a name now: its address tells it, without a step back. */
export function nameView(parts) {
  history.replaceState(null, "", to(parts, readAddress().params));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** The address as it is now; whoever uses it is drawn again when it changes. */
export function useAddress() {
  const [address, setAddress] = useState(readAddress);
  useEffect(() => {
    const read = () => setAddress(readAddress());
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  return address;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
