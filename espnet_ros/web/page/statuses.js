// Diagnostics: a line each, the worst first; the level is a sign and a word, not a colour alone.

import { byId, element } from './page.js';

const RANKS = { ERROR: 0, STALE: 1, WARN: 2, OK: 3 };

export class StatusList {
  constructor() {
    this.rows = new Map();
    this.isConnected = false;
    this.worst = null;
  }

  connected(isThere) {
    this.isConnected = isThere;
    this.tell();
  }

  show(statuses) {
    const sorted = statuses.map((status, place) => ({ ...status, place }))
      .sort((a, b) => RANKS[a.level] - RANKS[b.level] || a.place - b.place);
    byId('no-statuses').hidden = sorted.length > 0;
    const list = byId('statuses');
    const names = new Set(sorted.map((status) => status.name));
    for (const [name, row] of this.rows) {
      if (!names.has(name)) { row.item.remove(); this.rows.delete(name); }
    }
    sorted.forEach((status, place) => {
      const row = this.rows.get(status.name) ?? this.build(status.name);
      this.fill(row, status);
      // Moved only where needed: what is moved loses the focus.
      if (list.children[place] !== row.item) { list.insertBefore(row.item, list.children[place] ?? null); }
    });
    this.worst = sorted[0] ?? null;
    this.count = sorted.filter((status) => status.level !== 'OK').length;
    this.tell();
  }

  build(name) {
    const item = element('li');
    const box = element('details', 'status');
    const summary = element('summary');
    const level = element('span', 'level');
    const mark = element('span', 'mark');
    mark.setAttribute('aria-hidden', 'true');
    const word = element('span');
    level.append(mark, word);
    const what = element('span', 'what');
    summary.append(level, element('span', 'who', name), what);
    const values = element('dl');
    box.append(summary, values);
    item.append(box);
    const row = { item, box, level, word, what, values };
    this.rows.set(name, row);
    return row;
  }

  fill({ box, level, word, what, values }, status) {
    box.className = `status ${status.level}`;
    level.className = `level ${status.level}`;
    word.textContent = status.level;
    what.textContent = status.message;
    if (box.open || !values.children.length) {
      values.replaceChildren(...Object.entries(status.values).flatMap(([key, value]) => [element('dt', '', key), element('dd', '', value)]));
    }
  }

  tell() {
    const health = byId('health');
    if (!this.isConnected) {
      health.className = 'health ERROR';
      byId('health-words').textContent = 'no connection';
      return;
    }
    if (!this.worst) { return; }
    health.className = `health ${this.worst.level}`;
    const isFine = this.worst.level === 'OK';
    const words = isFine ? 'all well' : `${this.worst.level}: ${this.worst.name}${this.count > 1 ? ` and ${this.count - 1} more` : ''}`;
    if (byId('health-words').textContent !== words) { byId('health-words').textContent = words; }
  }
}
