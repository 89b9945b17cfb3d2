// What all parts of the page use.

export const byId = (id) => document.getElementById(id);

export const cssColor = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) { made.className = className; }
  if (text !== undefined) { made.textContent = text; }
  return made;
}

export function remember(name, value) {
  try { localStorage.setItem(`espnet-ros-${name}`, value); } catch { /* storage is off */ }
}

export function recall(name, otherwise) {
  try { return localStorage.getItem(`espnet-ros-${name}`) ?? otherwise; } catch { return otherwise; }
}
