// Writes src/openapi.ts: the types of the operations, from the service's OpenAPI document, which is
// read from the file named (`rag-service openapi > openapi.json`). Left out are the other mounts of
// a route, which have the same types, and the answers that become an ApiError.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const [source] = process.argv.slice(2);
if (source === undefined) {
  console.error("usage: npm run types -- openapi.json");
  process.exit(2);
}
const document = JSON.parse(await readFile(source, "utf8"));
for (const path of Object.keys(document.paths)) {
  for (const { responses, requestBody } of Object.values(document.paths[path])) {
    // "one of these fields at least" becomes a union with unknown, which takes anything
    for (const { schema } of Object.values(requestBody?.content ?? {})) {
      if (schema.properties) for (const union of ["anyOf", "oneOf"]) delete schema[union];
    }
    for (const status of Object.keys(responses)) if (status >= "400") delete responses[status];
  }
  if (/^\/(wp-json|api|v1)\//.test(path)) delete document.paths[path];
}
const types = astToString(await openapiTS(document));
await writeFile(new URL("../src/openapi.ts", import.meta.url), types);
