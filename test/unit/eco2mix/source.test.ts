import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { startPortal } from '../../../src/dev/portal/portal.ts';
import type { Runner } from './day-runner.ts';
import { dates, openRunner, rejection } from './day-runner.ts';
import { constantRows, portalCsv, portalHeader } from './portal-csv.ts';
