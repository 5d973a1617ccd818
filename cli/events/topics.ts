import { eventsMigrations, topicOf } from '#events';
import { refusal } from '#kit';
import { loadModule, type ModuleName } from '#modules';

import { closestName } from '../did-you-mean.ts';
import { modulesWith } from '../serving/modules-with.ts';

/** A topic of the shop, and the service that publishes to it. */
export interface PublishedTopic {
  readonly service: ModuleName;
  readonly topic: string;
}

/** The contracts of a service's events are in the package of its own. */
export async function publishedTopics(): Promise<readonly PublishedTopic[]> {
  const names = await modulesWith(eventsMigrations);
  return Promise.all(names.map(async (service) => ({ service, topic: topicOf((await loadModule(service)).contract.typeName) })));
}

/** A topic by its name or that of its service. INVALID_ARGUMENT, with a guess, for one that nobody publishes to. */
export function readTopicName(name: string, topics: readonly PublishedTopic[]): string {
  const found = topics.find(({ service, topic }) => name === topic || name === service);
  if (found) return found.topic;
  const names = topics.map(({ topic }) => topic);
  const meant = closestName(name, [...names, ...topics.map(({ service }) => service)]);
  throw refusal('INVALID_ARGUMENT', `no service publishes to ${name}${meant ? `; did you mean ${meant}?` : ''} (the topics are ${names.join(', ')})`);
}
