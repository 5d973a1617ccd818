export { type Alarm, createAlarm } from './alarm.ts';
export { type Clock, systemClock } from './clock.ts';
export { type Code, CODES } from './codes.ts';
export {
  type AnsweredBy,
  type ErrorDetails,
  errorCode,
  type FieldViolation,
  type ForeignDetail,
  MeshError,
  refusal,
  type RetryHint,
} from './errors.ts';
export { createLifecycle, type Lifecycle, type Stoppable } from './lifecycle.ts';
export { createLog, type Log, type LogOptions, silentLog } from './log.ts';
export { amountInWords, fromProtoMoney, type Money, moneyInWords, type ProtoMoney, requireChargeable, toProtoMoney } from './money.ts';
export { cutPage, type PageRequest, readPage } from './page.ts';
export { isOutageCode } from './outage-codes.ts';
export { printable } from './printable.ts';
export { backoffMs, jitter, newId, type Random, systemRandom } from './random.ts';
export { type Reason, REASONS } from './reasons.ts';
export { repeat, type RepeatOptions } from './repeat.ts';
export {
  duration,
  flag,
  integer,
  oneOf,
  type Origin,
  parseDurationMs,
  type ResolvedSettings,
  resolveSettings,
  type Setting,
  type SettingSources,
  type SettingSpecs,
  type SettingValues,
  text,
} from './settings.ts';
export { writeWhole } from './write-whole.ts';
