// Every page of the site, from the server's own table of addresses: a new page cannot be forgotten.
import { readFileSync } from "node:fs";

const table = readFileSync(new URL("../../src/http/urls.rs", import.meta.url), "utf8");
const ADDRESS = /(?:open|closed|live)\(\s*"([^"]+)",\s*&\[([^\]]*)\]/g;

/** Files, and addresses that only lead to a page. */
const isPage = (pattern) =>
  !/^\/(api|health)\//.test(pattern) &&
  !pattern.split("/").at(-1).includes(".") &&
  !/\/(edit|questions|reset|undo|delete)$/.test(pattern);

/** The patterns of all pages: `/e/{slug}`. */
export const patterns = [...table.matchAll(ADDRESS)]
  .filter(([, pattern, methods]) => methods.includes("GET") && isPage(pattern))
  .map(([, pattern]) => pattern);

/** Their addresses; `names` has what stands in braces, `{id}` by what comes before it. */
export const addresses = (names) =>
  patterns.map((pattern) =>
    pattern.replace(/([^/]+)\/\{(\w+)\}/g, (_, before, name) => {
      const value = names[`${before}/${name}`] ?? names[name] ?? "none";
      return `${before}/${value}`;
    }),
  );
