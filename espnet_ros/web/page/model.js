// The model card: what runs here, by key.

import { byId, element } from './page.js';

export class ModelCard {
  show(facts) {
    const lines = Object.entries(facts);
    byId('model').replaceChildren(...lines.flatMap(([key, value]) => [
      element('dt', '', key.replaceAll('_', ' ')), element('dd', '', value),
    ]));
  }
}
