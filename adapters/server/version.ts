/**
 * The program's version, as it is shown and sent.
 *
 * @module
 */
export const VERSION = "0.1.0";
