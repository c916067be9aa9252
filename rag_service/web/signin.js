/** Signing in with a token: at the door, or over a room whose token does not hold any more. */
import { html, useState, useRef, useEffect } from "./view.js";
import { identify } from "./api.js";
import { session } from "./session.js";
import { t } from "./texts.js";
import { faultText } from "./parts.js";

export function SignIn({ over, fault }) {
  const box = useRef();
  useEffect(() => {
    if (over) box.current.showModal();
  }, []);
  if (!over) return html`<main class="signin"><${Form} fault=${fault} /></main>`;
  return html`<dialog ref=${box} aria-label=${t("signin")} onCancel=${(event) => event.preventDefault()}>
    <div class="stack"><${Form} text=${t("signin.again")} /></div></dialog>`;
}

function Form({ fault, text = t("signin.text") }) {
  const [token, setToken] = useState("");
  const [onDevice, setOnDevice] = useState(false);
  const [error, setError] = useState(fault ?? null);
  const [busy, setBusy] = useState(false);
  const enter = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const given = token.trim();
      session.signIn(given, await identify(given), onDevice);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return html`<h1>${t("signin")}</h1><p class="soft">${text}</p>
    <form class="stack" onSubmit=${enter}>
      <label class="field"><span>${t("token")}</span><input type="password" autocomplete="current-password" spellcheck="false" required autofocus
        aria-describedby=${error ? "why" : null} aria-invalid=${error ? "true" : null} value=${token} onInput=${(event) => setToken(event.target.value)} /></label>
      <label class="check"><input type="checkbox" checked=${onDevice} onChange=${(event) => setOnDevice(event.target.checked)} />${t("signin.keep")}</label>
      ${error && html`<p id="why" class="bad" role="alert">${error.status === 401 ? t("signin.wrong") : faultText(error)}</p>`}
      <div class="row"><button class="main" disabled=${busy}>${t("signin.enter")}</button></div></form>
    <p class="soft small">${t("signin.make")}</p><pre><code>rag-service token create me --scope admin</code></pre>`;
}
