import { MeshError, refusal } from '#kit';

/** What grpc-js and the resolver say of a call that never had an answer, as a sentence that tells what to do. */
export function explainFailure(thrown: unknown, { service, deadlineMs }: { readonly service: string; readonly deadlineMs: number }): MeshError {
  const error = MeshError.from(thrown);
  // A service's own sentence is better than ours; it comes with its reason's details.
  if (!isFromTransport(error)) return error;
  switch (error.reason) {
    case 'DEADLINE_EXCEEDED':
      return refusal('DEADLINE_EXCEEDED', `${service} did not answer within ${deadlineMs} ms; try again, or allow it more with --deadline`);
    case 'NO_INSTANCE':
      return refusal('NO_INSTANCE', error.message.replace(/^NO_INSTANCE: /, ''));
    case 'UNREACHABLE':
      return refusal('UNREACHABLE', `${service} could not be reached: ${error.message}; see \`mesh ps\``);
    default:
      return error.code === 'RESOURCE_EXHAUSTED' ? tooLarge(error) : error;
  }
}

/** grpc-js refuses what is far beyond the limit before our own check sees it. */
function tooLarge(error: MeshError): MeshError {
  const [, bytes, most] = /larger than max \((\d+) vs\.? (\d+)\)/.exec(error.message) ?? [];
  if (bytes === undefined) return error;
  return refusal('MESSAGE_TOO_LARGE', `the request has ${bytes} bytes, the server takes at most ${most}; send less at once`);
}

const WORDS_OF_THE_TRANSPORT = [
  /^(Deadline exceeded|NO_INSTANCE|No connection established|Name resolution|Connection dropped|The client|Stream |Received )/i,
  /ECONN|ENOTFOUND|ETIMEDOUT/,
];

/** Statuses that grpc-js made on this side have texts of its own. */
function isFromTransport({ message }: MeshError): boolean {
  return WORDS_OF_THE_TRANSPORT.some((words) => words.test(message));
}
