import { refusal } from '#kit';

/** What a call has for a request until its message comes. */
export const NO_REQUEST = refusal('MESSAGE_COUNT', 'the method takes one request message and got none; send it before the end of the stream');
/** What it has when it gets more than one. */
export const SEVERAL_REQUESTS = refusal('MESSAGE_COUNT', 'the method takes one request message and got more; send one');
