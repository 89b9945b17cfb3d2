// The model card: what runs here, by key.

import { byId, element } from './page.js';

const LONG = 120;

export class ModelCard {
  show(facts) {
    const lines = Object.entries(facts);
    if (JSON.stringify(facts) === this.shown) { return; }
    this.shown = JSON.stringify(facts);
    byId('model').replaceChildren(...lines.flatMap(([key, value]) => [
      element('dt', '', key.replaceAll('_', ' ')), described(value),
    ]));
  }
}

// A long text shows its beginning until somebody wants the rest.
function described(text) {
  if (text.length <= LONG) { return element('dd', '', text); }
  const box = element('details');
  box.append(element('summary', '', `${text.slice(0, LONG - 20)} …`), element('p', '', text));
  const made = element('dd');
  made.append(box);
  return made;
}
