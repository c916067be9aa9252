/** Text that others wrote, drawn as text: paragraphs, lists, code, links. Never as HTML. */
import { html } from "./view.js";

const PIECE = /(`[^`\n]+`|\*\*[^*\n]+\*\*|\[\d{1,3}\]|https?:\/\/[^\s<>"')\]]+)/g;

/** `cite(n)` draws the mark [n]; without it the mark is text. */
export function Prose({ text, cite }) {
  return html`<div class="prose" dir="auto">${blocks(text).map((block) => {
    if (block.code !== undefined) return html`<pre><code>${block.code}</code></pre>`;
    const items = block.items?.map((item) => html`<li>${inline(item, cite)}</li>`);
    if (block.ordered) return html`<ol>${items}</ol>`;
    if (items) return html`<ul>${items}</ul>`;
    return html`<p>${block.lines.flatMap((line, at) => (at ? [html`<br />`, ...inline(line, cite)] : inline(line, cite)))}</p>`;
  })}</div>`;
}

/** An address of the web; of anything else nothing is made to press. */
export const safeLink = (url) => (/^https?:\/\//i.test(url) ? url : null);

export function Link({ url, children = url }) {
  return safeLink(url) ? html`<a href=${url} target="_blank" rel="noopener noreferrer">${children}</a>` : html`<span>${children}</span>`;
}

function blocks(text) {
  const found = [];
  const parts = text.split(/^```.*$/m);
  parts.forEach((part, at) => {
    if (at % 2) found.push({ code: part.replace(/^\n|\n$/g, "") });
    else for (const piece of part.split(/\n{2,}/)) if (piece.trim()) found.push(...lines(piece.trim().split("\n")));
  });
  return found;
}

function* lines(all) {
  let block = null;
  for (const line of all) {
    const item = /^\s*(?:([-*•])|\d{1,3}[.)])\s+(.*)$/.exec(line);
    const kind = item ? (item[1] ? "bullets" : "numbers") : "lines";
    if (block?.kind !== kind) {
      if (block) yield block;
      block = item ? { kind, ordered: kind === "numbers", items: [] } : { kind, lines: [] };
    }
    item ? block.items.push(item[2]) : block.lines.push(line.replace(/^#{1,6}\s+/, ""));
  }
  if (block) yield block;
}

function inline(text, cite) {
  return text.split(PIECE).map((piece, at) => {
    if (at % 2 === 0) return piece;
    if (piece[0] === "`") return html`<code>${piece.slice(1, -1)}</code>`;
    if (piece[0] === "*") return html`<strong>${piece.slice(2, -2)}</strong>`;
    if (piece[0] === "[") return cite?.(Number(piece.slice(1, -1))) ?? piece;
    const end = /[.,;:!?]+$/.exec(piece)?.[0].length ?? 0;
    const url = piece.slice(0, piece.length - end);
    return html`<${Link} url=${url} />${piece.slice(piece.length - end)}`;
  });
}
