import type { Mutation } from './installation.ts';

/** Mends taken out again, by name: the simulator is to find what each of them prevents. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {};
