import { reference } from '@heed/reference';
import { describe, it, vi } from 'vitest';
import { backendLaws } from './index.ts';

// Many scenes each, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

backendLaws(reference(), { describe, it });
