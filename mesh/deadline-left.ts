/** How much time a call was given, on the spans of both sides: what left here, and what arrived there. Absent when it is boundless. */
export const DEADLINE_LEFT_ATTRIBUTE = 'mesh.deadline.left_ms';
