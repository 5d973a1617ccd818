import { isOutageCode, type MeshError } from '#kit';

/** Worth trying again as long as it lasts: nothing is wrong with the event itself. */
export function isOutage({ code, reason }: MeshError): boolean {
  // It has the code of a quota in gRPC's own words, and is one that never fills up again.
  return isOutageCode(code) && reason !== 'MESSAGE_TOO_LARGE';
}

/** The bus will never take this event. What else it says may be a fault of its own. */
export function isRefusedForGood({ code, reason }: MeshError): boolean {
  return reason === 'MESSAGE_TOO_LARGE' || code === 'INVALID_ARGUMENT';
}
