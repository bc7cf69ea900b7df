// Layers, and what they are made of, in one namespace.

import { additiveAttention, coverageLoss } from '@heed/additive';
import { localAttention, neighborhoodAttention } from '@heed/local';
import { bidirectionalAttention, coAttention, fromKeras, fromPyTorch, multiHead } from '@heed/multi-head';
import { multiplicativeAttention } from '@heed/multiplicative';
import * as nn from '@heed/nn';
import {
  attentionPooling,
  augmentedConvolution,
  directionalAttention,
  featurePooling,
  imageAttention,
  overlap,
  selfAttention,
} from '@heed/self';

const variants = {
  additiveAttention,
  attentionPooling,
  augmentedConvolution,
  bidirectionalAttention,
  coAttention,
  coverageLoss,
  directionalAttention,
  featurePooling,
  fromKeras,
  fromPyTorch,
  imageAttention,
  localAttention,
  multiHead,
  multiplicativeAttention,
  neighborhoodAttention,
  overlap,
  selfAttention,
};

// An object and not `export * as`, of which the bundler of declarations makes a variable with a value.
export const layers: typeof nn & typeof variants = { ...nn, ...variants };
