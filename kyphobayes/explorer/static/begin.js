// Where the page begins: with the main priors, or with those of its address.

if (data.decision) {
  const { template } = data.decision;
  data.decision.words = (limit) =>
    Math.abs(limit - data.decision.limit) < 1e-12
      ? template
      : `the ${data.scale.name} is ${data.decision.side} ${saidWith(limit * factor)}`;
}
listen();
typed("mu", reference.mu);
typed("tau", reference.tau);
change(fromAddress);
