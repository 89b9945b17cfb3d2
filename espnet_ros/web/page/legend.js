// The classes: name, colour, share of the mask, and a switch each.

import { byId, element } from './page.js';

const NAMESPACE = 'http://www.w3.org/2000/svg';

export class Legend {
  constructor(onHide) {
    this.onHide = onHide;
    this.hidden = new Set();
    this.rows = [];
    this.set = null;
  }

  show(labelSet, facts) {
    if (labelSet && labelSet !== this.set) { this.build(labelSet); }
    const shares = new Map(facts.ids.map((id, place) => [id, facts.shares[place]]));
    for (const { id, item, share, bar } of this.rows) {
      const value = shares.get(id) ?? 0;
      const isSmall = value > 0 && value < 0.001;
      share.textContent = isSmall ? '< 0.1 %' : `${(100 * value).toFixed(1)} %`;
      bar.value = value;
      item.classList.toggle('absent', value === 0);
    }
  }

  build(labelSet) {
    this.set = labelSet;
    this.hidden.clear();
    byId('no-classes').hidden = true;
    this.rows = labelSet.classes.map((entry, id) => {
      const item = element('li');
      const label = element('label');
      const box = element('input');
      Object.assign(box, { type: 'checkbox', role: 'switch', checked: true });
      box.setAttribute('aria-label', entry.name);
      box.addEventListener('change', () => this.set_(id, box.checked));
      const share = element('span', 'share');
      const bar = element('progress');
      bar.max = 1;
      bar.setAttribute('aria-label', `share of ${entry.name}`);
      label.append(box, swatch(entry.color), element('span', 'name', entry.name), share, bar);
      item.append(label);
      return { id, item, box, share, bar };
    });
    byId('legend').replaceChildren(...this.rows.map((row) => row.item));
    this.onHide(this.hidden);
  }

  set_(id, isOn) {
    if (isOn) { this.hidden.delete(id); } else { this.hidden.add(id); }
    this.onHide(this.hidden);
  }

  setAll(isOn) {
    for (const { id, box } of this.rows) {
      box.checked = isOn;
      if (isOn) { this.hidden.delete(id); } else { this.hidden.add(id); }
    }
    this.onHide(this.hidden);
  }
}

function swatch([red, green, blue]) {
  const picture = document.createElementNS(NAMESPACE, 'svg');
  picture.setAttribute('viewBox', '0 0 1 1');
  picture.setAttribute('aria-hidden', 'true');
  const square = document.createElementNS(NAMESPACE, 'rect');
  square.setAttribute('width', '1');
  square.setAttribute('height', '1');
  square.setAttribute('fill', `rgb(${red},${green},${blue})`);
  picture.append(square);
  return picture;
}
