import { IS_CONTROL, type KafkaRecord, type RecordsBatch } from '@platformatic/kafka';

export interface FetchedRecord {
  readonly offset: bigint;
  readonly record: KafkaRecord;
  /** When it was written: by the broker's clock where the topic is set so, else by the publisher's. */
  readonly timeMs: number;
}

/** Bit of a batch whose time is the broker's, one for all its records (https://kafka.apache.org/documentation/#recordbatch). */
const LOG_APPEND_TIME = 1 << 3;

/**
 * The records of an answer from an offset on, and the offset to go on at. A broker sends whole batches, which may begin before
 * that offset, and markers of transactions, which are nobody's records but have offsets.
 */
export function unpack(batches: readonly RecordsBatch[], from: bigint): { readonly records: FetchedRecord[]; readonly next: bigint } {
  const records: FetchedRecord[] = [];
  let next = from;
  for (const batch of batches) {
    const end = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    if (end > next) next = end;
    if (batch.attributes & IS_CONTROL) continue;
    for (const record of batch.records) {
      const offset = batch.firstOffset + BigInt(record.offsetDelta);
      if (offset >= from) records.push({ offset, record, timeMs: Number(batch.attributes & LOG_APPEND_TIME ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta) });
    }
  }
  return { records, next };
}
