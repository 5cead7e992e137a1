// "/" on any page puts the cursor into the search box, unless something is being typed already.
document.addEventListener("keydown", function (event) {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = document.activeElement;
  if (at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName))) return;
  const box = document.getElementById("kq-question");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});
