/** Files on their way. They live beside the rooms, so leaving Knowledge loses none. */
import { urlOf } from "./api.js";
import { session } from "./session.js";
import { t } from "./texts.js";
import { changed, faultText } from "./parts.js";

const AT_ONCE = 2;
const listeners = new Set();
let running = 0;

export const uploads = {
  /** `{key, name, size, sent, state, lines, fault}`, the newest first. */
  files: [],
  watch(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  add(files, query) {
    const added = files.map((file) => ({ key: crypto.randomUUID?.() ?? `${file.name}${performance.now()}`, file, name: file.name, size: file.size, sent: 0, state: "waiting", lines: [], query }));
    this.files = [...added, ...this.files];
    pump();
  },
  clear() {
    this.files = this.files.filter((one) => one.state === "waiting" || one.state === "sending");
    tell();
  },
  get busy() {
    return this.files.some((one) => one.state === "waiting" || one.state === "sending");
  },
};

function pump() {
  tell();
  while (running < AT_ONCE) {
    const next = uploads.files.findLast((one) => one.state === "waiting");
    if (!next) break;
    running += 1;
    next.state = "sending";
    send(next).finally(() => {
      running -= 1;
      delete next.file;
      changed();
      pump();
    });
  }
}

async function send(upload) {
  for (;;) {
    const used = session.token;
    const { status, text } = await post(upload, used);
    if (status === 401) {
      if (used === session.token) await session.again();
    } else {
      finish(upload, status, text);
      return tell();
    }
  }
}

function finish(upload, status, text) {
  const lines = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  if (status === 200) upload.lines = lines;
  else upload.fault = faultText({ status, message: lines[0]?.message });
  const failed = upload.lines.filter((line) => !line.success);
  upload.state = status !== 200 || (lines.length && failed.length === lines.length) ? "failed" : failed.length ? "partly" : "done";
  upload.fault ??= failed.map((line) => line.error).join("; ");
}

/** fetch tells nothing of what is sent, so this is the older way. */
function post(upload, token) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("files", upload.file, upload.name);
    request.open("POST", urlOf("/knowledge/upload", { wait: true, ...upload.query }));
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.onprogress = (event) => ((upload.sent = event.loaded / event.total), tell());
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => resolve({ status: 0, text: "" });
    request.send(form);
  });
}

function tell() {
  listeners.forEach((listener) => listener());
}

addEventListener("beforeunload", (event) => {
  if (uploads.busy) event.preventDefault();
});

export const uploadState = (upload) => t(`upload.${upload.state}`);
