/** Files by drag and drop, with progress, warnings and failures by file; and the jobs of all imports. */
import { html, useEffect, useRef, useState } from "./view.js";
import { api } from "./api.js";
import { t, bytes, number } from "./texts.js";
import { setParams, to } from "./address.js";
import { changed, Empty, Loaded, Pager, When, faultText, say, useLoad } from "./parts.js";
import { uploads, uploadState } from "./uploads.js";

const SIZE = 50;
const POLL_MS = 2000;

export function Upload({ params }) {
  const [, draw] = useState(0);
  const [label, setLabel] = useState("");
  const [isOver, setOver] = useState(false);
  useEffect(() => uploads.watch(() => draw((turn) => turn + 1)), []);
  const add = (files) => uploads.add([...files], { bot_id: params.bot, content_type: label.trim() });
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    add(event.dataTransfer.files);
  };
  const over = (event, on) => (event.preventDefault(), setOver(on));
  return html`<div class="stack"><div class="filters"><label class="field"><span>${t("upload.label")}</span><input value=${label} maxlength="200" onInput=${(event) => setLabel(event.target.value)} /></label></div>
    <div class=${`drop ${isOver ? "over" : ""}`} onDragOver=${(event) => over(event, true)} onDragLeave=${(event) => over(event, false)} onDrop=${drop}>
      <p>${t("upload.drop")} <input id="files" type="file" multiple onChange=${(event) => (add(event.target.files), (event.target.value = ""))} /><label for="files">${t("upload.choose")}</label></p>
      <p class="small">${t("upload.kinds")}</p></div>
    ${uploads.files.length > 0 ? html`<div class="row apart"><h2>${t("upload.files")}</h2><button class="plain small" onClick=${() => uploads.clear()}>${t("upload.clear")}</button></div>
      <ul class="list" aria-live="polite">${uploads.files.map((one) => html`<${File} key=${one.key} upload=${one} />`)}</ul>`
      : html`<${Empty} title=${t("upload.none")} text=${t("upload.none.text")} line="rag-service ingest handbook.pdf faq.docx" />`}</div>`;
}

function File({ upload }) {
  const warnings = upload.lines.flatMap((line) => line.warnings ?? []);
  const done = upload.lines.filter((line) => line.success);
  const kind = { done: "good", failed: "bad", partly: "warn" }[upload.state] ?? "";
  return html`<li class="item stack"><div class="row apart"><span dir="auto">${upload.name} <span class="soft small">${bytes(upload.size)}</span></span><span class=${`chip ${kind}`}>${uploadState(upload)}</span></div>
    ${upload.state === "sending" && html`<progress max="1" value=${upload.sent < 1 ? upload.sent : null} aria-label=${upload.name}></progress>`}
    ${done.length > 0 && html`<p class="facts">${done.slice(0, 3).map((line) => html`<a href=${to(["knowledge", line.document_id], { bot: line.bot_id })}>${line.source_url}</a>`)}${done.length > 3 && html`<span>${t("upload.more", { n: done.length - 3 })}</span>`}
      <span>${t("upload.chunks", { n: done.reduce((sum, line) => sum + line.chunks.total, 0) })}</span></p>`}
    ${warnings.map((one) => html`<p class="warn small">${one}</p>`)}${upload.fault && html`<p class="bad small">${upload.fault}</p>`}</li>`;
}

export function Jobs({ params }) {
  const query = { limit: SIZE, offset: params.offset };
  const found = useLoad((signal) => api.listJobs({ ...query, signal }), [params.offset]);
  const isMoving = found.value?.items.some((job) => job.state === "running" || job.state === "queued");
  const timer = useRef();
  useEffect(() => {
    if (isMoving) timer.current = setTimeout(found.reload, POLL_MS);
    return () => clearTimeout(timer.current);
  }, [found.value]);
  return html`<${Loaded} of=${found}>${(page) => (page.items.length
    ? html`<ul class="list">${page.items.map((job) => html`<${Job} key=${job.job_id} job=${job} isOpen=${params.job === job.job_id} />`)}</ul><${Pager} total=${page.total} size=${SIZE} offset=${Number(params.offset ?? 0)} />`
    : html`<${Empty} title=${t("jobs.none")} text=${t("jobs.none.text")} line=${'curl -H "Authorization: Bearer $TOKEN" --data-binary @pages.ndjson HOST/knowledge/batch'} />`)}<//>`;
}

function Job({ job, isOpen }) {
  const isMoving = job.state === "running" || job.state === "queued";
  const cancel = () => api.cancelJob(job.job_id).then(changed, (error) => say(faultText(error)));
  const kind = { succeeded: "good", failed: "bad", cancelled: "" }[job.state] ?? "warn";
  return html`<li class="item stack"><div class="row apart"><span class="row"><span class=${`chip ${kind}`}>${t(job.state === "failed" ? "job.failed.state" : `job.${job.state}`)}</span><code>${job.job_id}</code></span>
      ${isMoving && html`<button class="small" onClick=${cancel}>${t("job.cancel")}</button>`}</div>
    ${isMoving && html`<progress max=${job.total || 1} value=${job.done} aria-label=${job.job_id}></progress>`}
    <p class="facts"><span>${t("job.lines", { done: number(job.done), total: number(job.total) })}</span><span><${When} at=${job.created_at} /></span>
      ${job.failed > 0 && html`<button class="plain small" aria-expanded=${isOpen} onClick=${() => setParams({ job: isOpen ? null : job.job_id })}>${t("job.failed", { n: job.failed })}</button>`}</p>
    ${job.error && html`<p class="bad small">${job.error}</p>`}${isOpen && html`<${Failures} id=${job.job_id} />`}</li>`;
}

function Failures({ id }) {
  const found = useLoad((signal) => api.getJob(id, { limit: 200, signal }), [id]);
  return html`<${Loaded} of=${found} rows=${2}>${(job) => html`<ul>${job.failed_lines.map((line) => html`<li class="small"><span class="n soft">${line.line}</span> <span dir="auto">${line.source_url}</span> <span class="bad">${line.error}</span></li>`)}</ul>`}<//>`;
}
