/** What every module draws with: Preact, its hooks, and htm in place of a build step. */
import { h, render, Fragment } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export { render, Fragment };
export { useState, useEffect, useLayoutEffect, useMemo, useRef, useCallback } from "./vendor/hooks.js";
export const html = htm.bind(h);
