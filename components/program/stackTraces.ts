/**
 * To be imported before all else. The process that runs a program maps the lines of each stack trace that is
 * asked for by source maps, and the SDK asks for one at each resource. This program has none: Node strips
 * types in place, so lines stay as they are.
 */

Reflect.deleteProperty(Error, "prepareStackTrace");
