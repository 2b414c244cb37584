# What metafor says of the studies in a JSON file, and how long it takes: Rscript metafor.R sets.json

suppressPackageStartupMessages({
  library(metafor)
  library(jsonlite)
})

sets <- fromJSON(commandArgs(trailingOnly = TRUE)[1])

# Processor seconds of one call: the least of twenty rounds of `times` calls.
seconds <- function(work, times) {
  work()
  min(replicate(20, sum(system.time(for (i in seq_len(times)) work())[c("user.self", "sys.self")]))) / times
}

numbers <- function(fit) {
  foreseen <- predict(fit)
  list(
    mu = as.numeric(fit$beta), se = fit$se, low = fit$ci.lb, high = fit$ci.ub, tau = sqrt(fit$tau2),
    next_low = foreseen$pi.lb, next_high = foreseen$pi.ub
  )
}

found <- list()
for (name in names(sets$normals)) {
  set <- sets$normals[[name]]
  work <- function() rma(set$y, sei = set$se, method = "REML", test = "knha")
  found[[name]] <- c(numbers(work()), seconds = seconds(work, 20))
}
for (name in names(sets$shares)) {
  set <- sets$shares[[name]]
  work <- function() rma.glmm(measure = "PLO", xi = set$events, ni = set$n)
  found[[name]] <- c(numbers(work()), seconds = seconds(work, 1))
}
versions <- list(R = as.character(getRversion()), metafor = as.character(packageVersion("metafor")))
cat(toJSON(list(versions = versions, found = found), auto_unbox = TRUE, digits = 12), "\n")
