import { conformance } from './conformance/all.ts';

describe('the local transport', () => conformance('local'));
