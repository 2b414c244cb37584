// Buttons copy what they stand beside; where the clipboard is closed, they select it instead.
for (const button of document.querySelectorAll("button.copy")) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.source);
    try {
      await navigator.clipboard.writeText(source.innerText);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Selected: copy it by Ctrl+C";
    }
    setTimeout(() => { button.textContent = label; }, 3000);
  });
}
