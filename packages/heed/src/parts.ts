// Everything that comes with heed, by name. Lists of values and nothing else.

import { additiveAttention } from '@heed/additive';
import { localAttention, neighborhoodAttention } from '@heed/local';
import * as masks from '@heed/masks';
import { bidirectionalAttention, coAttention, multiHead } from '@heed/multi-head';
import { multiplicativeAttention } from '@heed/multiplicative';
import * as normalizers from '@heed/normalizers';
import { createRegistry, lazyBackend } from '@heed/registry';
import * as scores from '@heed/scores';
import {
  attentionPooling,
  augmentedConvolution,
  directionalAttention,
  featurePooling,
  imageAttention,
  selfAttention,
} from '@heed/self';

export const defaultRegistry = createRegistry()
  .use({
    name: '@heed/scores',
    scores: [
      scores.additive,
      scores.combination,
      scores.concat,
      scores.cosine,
      scores.coverage,
      scores.dot,
      scores.gaussian,
      scores.general,
      scores.l2Distance,
      scores.laplace,
      scores.linear,
      scores.locationBase,
      scores.locationSensitive,
      scores.mlp,
      scores.scaledDot,
      scores.trilinear,
    ],
  })
  .use({
    name: '@heed/masks',
    masks: [
      masks.allowed,
      masks.biasAllows,
      masks.blockLocal,
      masks.causal,
      masks.dilated,
      masks.document,
      masks.fixedSparse,
      masks.full,
      masks.globalPrefix,
      masks.globalWindow,
      masks.local,
      masks.neighborhood,
      masks.padding,
      masks.prefix,
      masks.queryPadding,
      masks.randomBlocks,
      masks.strided,
      masks.window,
    ],
    modifiers: [
      masks.alibi,
      masks.bias,
      masks.gaussianWindow,
      masks.learnedScale,
      masks.relativeBuckets,
      masks.relativeGrid,
      masks.relativeKeys,
      masks.relativeTable,
      masks.softcap,
      masks.temperature,
    ],
    reweights: [masks.localGaussian],
  })
  .use({
    name: '@heed/normalizers',
    modifiers: [normalizers.gumbel],
    normalizers: [
      normalizers.adaptiveEntmax,
      normalizers.entmax,
      normalizers.entmax15,
      normalizers.hard,
      normalizers.identity,
      normalizers.relu,
      normalizers.sigmoid,
      normalizers.softmax,
      normalizers.sparsemax,
    ],
  })
  .use({ name: '@heed/additive', variants: [additiveAttention] })
  .use({ name: '@heed/local', variants: [localAttention, neighborhoodAttention] })
  .use({ name: '@heed/multi-head', variants: [bidirectionalAttention, coAttention, multiHead] })
  .use({ name: '@heed/multiplicative', variants: [multiplicativeAttention] })
  .use({
    name: '@heed/self',
    variants: [
      attentionPooling,
      augmentedConvolution,
      directionalAttention,
      featurePooling,
      imageAttention,
      selfAttention,
    ],
  })
  .use({
    name: 'heed',
    backends: [
      lazyBackend('cpu', async () => (await import('@heed/cpu')).cpu()),
      lazyBackend('webgpu', async () => (await import('@heed/webgpu')).webgpu()),
      lazyBackend('reference', async () => (await import('@heed/reference')).reference()),
    ],
  });
