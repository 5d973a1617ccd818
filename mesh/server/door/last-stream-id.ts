/** The largest id of a call, which a GOAWAY names that names none (RFC 9113, 6.8). */
export const LAST_STREAM_ID = 2 ** 31 - 1;
