/** Small charts as SVG: questions by week, shares by week, what a confidence is made of. */
import { html } from "./view.js";
import { Scroll } from "./parts.js";
import { t, number, percent, score, moment } from "./texts.js";

/** A bar a week; the last one is this week. */
export function Spark({ counts: bars }) {
  const weeks = bars.length;
  const most = Math.max(1, ...bars);
  return html`<svg class="spark" viewBox=${`0 0 ${weeks * 8} 22`} role="img" aria-label=${t("spark", { n: bars.reduce((a, b) => a + b), weeks })}>
    ${bars.map((count, at) => html`<rect class=${at === weeks - 1 ? "last" : ""} x=${at * 8} width="6" y=${22 - Math.max(1, (20 * count) / most)} height=${Math.max(1, (20 * count) / most)} />`)}</svg>`;
}

/** Questions by week, and how many of them were answered; a table says the same to who cannot see. */
export function Weeks({ weeks }) {
  const shown = weeks.slice(-26);
  const most = Math.max(...shown.map((week) => week.questions), 1);
  const step = 1000 / Math.max(shown.length, 16);
  const last = shown.at(-1);
  const high = (count) => (96 * count) / most;
  return html`<figure><svg class="weeks" viewBox="0 0 1000 132" preserveAspectRatio="none" aria-hidden="true">
      ${shown.map((week, at) => html`<rect class="all" x=${at * step} width=${step * 0.7} y=${100 - high(week.questions)} height=${high(week.questions)} />
        <rect class="done" x=${at * step} width=${step * 0.7} y=${100 - high(week.answered)} height=${high(week.answered)} />`)}</svg>
    <figcaption class="soft small">${t("weeks.last", { share: percent(last.answered / last.questions), n: last.questions })} ${t("weeks.caption")}</figcaption></figure>
    <details><summary class="small">${t("weeks.table")}</summary><${Scroll} label=${t("report.share")}><table>
      <thead><tr><th scope="col">${t("week")}</th><th scope="col" class="n">${t("questions")}</th><th scope="col" class="n">${t("answered")}</th></tr></thead>
      <tbody>${shown.toReversed().map((week) => html`<tr><td><time datetime=${week.begins}>${moment(`${week.begins}T12:00:00Z`)}</time></td><td class="n">${number(week.questions)}</td>
        <td class="n">${percent(week.answered / week.questions)}</td></tr>`)}</tbody></table><//></details>`;
}

/** What each sign adds to the log-odds, or takes from them. */
export function Why({ weights, logOdds }) {
  const rows = Object.entries(weights).filter(([, value]) => Math.abs(value) > 0.005);
  const most = Math.max(...rows.map(([, value]) => Math.abs(value)), 0.1);
  return html`<div class="signs">${rows.map(([name, value]) => {
    const width = (48 * Math.abs(value)) / most;
    return html`<span>${t(`sign.${name}`)}</span>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><line x1="50" x2="50" y1="0" y2="8" /><rect class=${value > 0 ? "plus" : "minus"} x=${value > 0 ? 50 : 50 - width} width=${width} y="1" height="6" /></svg>
      <span class="n">${value > 0 ? "+" : ""}${score(value)}</span>`;
  })}<strong>${t("sign.sum")}</strong><span></span><strong class="n">${score(logOdds)}</strong></div>`;
}

/** The evidence as a transcript's row keeps it: a flat object. */
export function WhyOfRow({ evidence }) {
  const weights = Object.entries(evidence).filter(([name]) => name.startsWith("weight_"));
  return html`<${Why} weights=${Object.fromEntries(weights.map(([name, value]) => [name.slice(7), value]))} logOdds=${evidence.log_odds} />`;
}
