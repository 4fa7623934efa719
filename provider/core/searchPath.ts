/**
 * Which `search_path` the sessions of this provider have. Where a definition needs another one is told by
 * `catalog/searchPath.ts`.
 */

/**
 * The path of every session of ours: names without a schema are the server's own. Temporary objects come
 * last, because the server looks for tables and types among them first where the path does not name them.
 */
export const PINNED_SEARCH_PATH = "pg_catalog, pg_temp";
