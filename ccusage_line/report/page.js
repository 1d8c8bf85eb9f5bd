
// Sorting and a filter for the table of sessions. The page can be read without this script.
(() => {
  const table = document.querySelector("#sessions table");
  if (!table) return;
  const body = table.tBodies[0];
  const value = (cell) => cell.dataset.v ?? cell.textContent.replaceAll(",", "");
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const isNumber = head.textContent === "Tokens" || head.textContent === "Cost";
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.onclick = () => {
      const order = (head.ariaSort ?? (isNumber || column === 5 ? "ascending" : "descending")) === "ascending" ? -1 : 1;
      const rows = [...body.rows].map((row) => [value(row.cells[column]), row]);
      rows.sort(([a], [b]) => order * (isNumber ? a - b : a.localeCompare(b)));
      body.append(...rows.map(([, row]) => row));
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order > 0 ? "ascending" : "descending");
    };
  });
  const field = document.createElement("input");
  field.type = "search";
  field.placeholder = "Filter sessions";
  field.setAttribute("aria-label", field.placeholder);
  field.oninput = () => {
    const wanted = field.value.toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  };
  table.before(field);
})();
